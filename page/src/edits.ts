import { signal } from '@preact/signals';
import { numberOf, RefusedError, send, untilAnswered } from './api.ts';
import { formatCount } from './format.ts';
import { refreshSoon, rows } from './list.ts';
import { texts } from './texts.ts';
import type { Column, Marathon } from './types.ts';

const MAX_UNDO = 100;

type Values = Partial<Record<Column, string | number | null>>;

export interface Cell {
  index: number;
  column: Column;
}

/** The cell that is edited, with the text as it was typed. */
export interface Editor extends Cell {
  marathon: Marathon;
  text: string;
  error?: string;
  isSaving?: boolean;
}

/** Two people changed the same marathon. */
export interface Conflict {
  editor: Editor;
  theirs: Marathon;
}

export const editor = signal<Editor | undefined>(undefined);
export const conflict = signal<Conflict | undefined>(undefined);
export const notice = signal<{ text: string; canUndo: boolean } | undefined>(undefined);
/** A write waits for a key: the page asks for one, and calls this then. */
export const keyRequest = signal<((hasKey: boolean) => void) | undefined>(undefined);

/** What undoes the writes of this page, the last one at the end. */
const undoings: (() => Promise<void>)[] = [];
/** The version that has the values of an earlier one, since something was undone, by id and earlier version. */
const sameAs = new Map<string, number>();

export function edit(cell: Cell, marathon: Marathon, text?: string): void {
  const { column } = cell;
  editor.value = { ...cell, marathon, text: text ?? String(marathon[column] ?? '') };
}

/** Saves the edited cell. Returns whether it was saved; else the error stands at the cell. */
export async function save(): Promise<boolean> {
  const edited = editor.value;
  if (!edited || edited.isSaving) return false;
  const { marathon, column, text } = edited;
  const value = valueOf(column, text);
  if (value === marathon[column]) {
    editor.value = undefined;
    return true;
  }
  editor.value = { ...edited, isSaving: true, error: undefined };
  try {
    await change(marathon, { [column]: value });
    editor.value = undefined;
    return true;
  } catch (error) {
    showFailure(edited, error);
    return false;
  }
}

function showFailure(edited: Editor, error: unknown): void {
  if (error instanceof RefusedError && error.problem.current && error.etag !== undefined) {
    const theirs = { ...error.problem.current, version: error.etag };
    rows.peek().replace(theirs);
    conflict.value = { editor: edited, theirs };
    editor.value = undefined;
    return;
  }
  editor.value = { ...edited, isSaving: false, error: messageOf(error) };
}

/** Decides a conflict: writes what was typed over the other version, or leaves it. */
export async function resolve(isMine: boolean): Promise<void> {
  const { editor: edited, theirs } = conflict.value!;
  conflict.value = undefined;
  if (!isMine) return;
  editor.value = { ...edited, marathon: theirs };
  await save();
}

async function change(marathon: Marathon, values: Values): Promise<void> {
  const { id, version } = marathon;
  const saved = await write(`/marathon/${id}`, 'PATCH', version, values);
  rows.peek().replace(saved);
  refreshSoon();
  remember(texts.saved(saved.name ?? ''), async () => restore(id, saved.version, version));
}

export async function create(values: Values): Promise<number> {
  const { body, headers } = await request<{ id: number }>('/marathon/', {
    method: 'POST',
    body: values,
  });
  const version = numberOf(headers.get('etag')) ?? 1;
  refreshSoon();
  remember(texts.created(String(values.name)), async () => {
    await write(`/marathon/${body.id}`, 'DELETE', latestOf(body.id, version));
  });
  return body.id;
}

/** Imports rows of CSV, all or none. */
export async function sendRows(csv: string): Promise<void> {
  const { body } = await request<{ inserted: number }>('/marathon/', {
    method: 'POST',
    body: csv,
    headers: { 'Content-Type': 'text/csv' },
  });
  notice.value = { text: texts.imported(formatCount(body.inserted)), canUndo: false };
  refreshSoon();
}

export async function remove({ id, version, name }: Marathon): Promise<void> {
  await write(`/marathon/${id}`, 'DELETE', version);
  refreshSoon();
  remember(texts.removed(name ?? ''), async () => restore(id, version + 1, version));
}

/** Restores an earlier version, if the marathon still has the version `current`, or its values again. */
export async function restore(id: number, current: number, version: number): Promise<void> {
  const address = `/marathon/${id}/restore?version=${version}`;
  const restored = await write(address, 'POST', latestOf(id, current));
  sameAs.set(`${id}/${version}`, restored.version);
  rows.peek().replace(restored);
  refreshSoon();
}

function latestOf(id: number, version: number): number {
  const later = sameAs.get(`${id}/${version}`);
  return later === undefined ? version : latestOf(id, later);
}

/** Undoes what was done last on this page. */
export async function undo(): Promise<void> {
  const undoLast = undoings.pop();
  if (!undoLast) return;
  try {
    await undoLast();
    refreshSoon();
    notice.value = { text: texts.undone, canUndo: undoings.length > 0 };
  } catch (error) {
    notice.value = { text: messageOf(error), canUndo: undoings.length > 0 };
  }
}

function remember(text: string, revert: () => Promise<void>): void {
  undoings.push(revert);
  if (undoings.length > MAX_UNDO) undoings.shift();
  notice.value = { text, canUndo: true };
}

async function write(
  address: string,
  method: string,
  version: number,
  body?: Values,
): Promise<Marathon> {
  const answer = await request<Omit<Marathon, 'version'>>(address, {
    method,
    body,
    headers: { 'If-Match': `"${version}"` },
  });
  return { ...answer.body, version: numberOf(answer.headers.get('etag')) ?? version };
}

/** Sends a write until the service answers. An Idempotency-Key makes it happen once. */
async function request<Body>(address: string, options: Parameters<typeof send>[1] & object) {
  const idempotencyKey = `"${crypto.getRandomValues(new Uint32Array(4)).join('-')}"`;
  const headers = { ...options.headers, 'Idempotency-Key': idempotencyKey };
  return untilAnswered(async () =>
    withKey(async () => send<Body>(address, { ...options, headers })),
  );
}

/** Repeats work when a key was given that it needs. */
export async function withKey<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isKeyNeeded(error) || !(await askForKey())) throw error;
    return withKey(work);
  }
}

function isKeyNeeded(error: unknown): boolean {
  return error instanceof RefusedError && error.problem.status === 401;
}

async function askForKey(): Promise<boolean> {
  return new Promise((answer) => {
    keyRequest.value = (hasKey) => {
      keyRequest.value = undefined;
      answer(hasKey);
    };
  });
}

/** A number stays a number; the service says what is wrong with anything else. */
export function valueOf(column: Column, text: string): string | number | null {
  const trimmed = text.trim();
  if (!trimmed) return null;
  return column === 'inception_year' && /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** Does work whose failure is shown as a notice. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    notice.value = { text: messageOf(error), canUndo: false };
  }
}

export function messageOf(error: unknown): string {
  if (!(error instanceof RefusedError)) return (error as Error).message;
  const { errors, detail } = error.problem;
  return errors?.map((each) => each.detail).join('; ') || detail;
}
