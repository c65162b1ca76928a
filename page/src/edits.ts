import { signal } from '@preact/signals';
import { messageOf, numberOf, RefusedError } from './api.ts';
import { refreshSoon, rows } from './list.ts';
import { remember, say } from './notices.ts';
import { texts } from './texts.ts';
import type { Column, Marathon } from './types.ts';
import { isPast } from './view.ts';
import { latestOf, noteSame, write } from './writes.ts';

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

/** Begins to edit a cell, with the text that was typed or else with its own. */
export function edit(cell: Cell, marathon: Marathon, text?: string): void {
  if (isPast.value) {
    say(texts.pastIsFixed);
    return;
  }
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
  const theirs = currentOf(error);
  if (theirs) {
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

/** The marathon that someone else changed meanwhile, if that is why a write was refused. */
export function currentOf(error: unknown): Marathon | undefined {
  if (!(error instanceof RefusedError)) return undefined;
  const { problem, etag } = error;
  return problem.current && etag !== undefined ? { ...problem.current, version: etag } : undefined;
}

/** Writes some columns, if the marathon still has its version. */
export async function change(marathon: Marathon, values: Values): Promise<void> {
  const { id, version } = marathon;
  const saved = await writeOne(`/marathon/${id}`, 'PATCH', version, values);
  rows.peek().replace(saved);
  refreshSoon();
  remember(texts.saved(saved.name ?? ''), async () => restore(id, saved.version, version));
}

export async function create(values: Values): Promise<number> {
  const { body, headers } = await write<{ id: number }>('/marathon/', {
    method: 'POST',
    body: values,
  });
  const version = numberOf(headers.get('etag')) ?? 1;
  refreshSoon();
  remember(texts.created(String(values.name)), async () => {
    await writeOne(`/marathon/${body.id}`, 'DELETE', latestOf(body.id, version));
  });
  return body.id;
}

export async function remove({ id, version, name }: Marathon): Promise<void> {
  if (isPast.value) {
    say(texts.pastIsFixed);
    return;
  }
  await writeOne(`/marathon/${id}`, 'DELETE', version);
  refreshSoon();
  remember(texts.removed(name ?? ''), async () => restore(id, version + 1, version));
}

/** Restores an earlier version, if the marathon still has the version `current`, or its values again. */
export async function restore(id: number, current: number, version: number): Promise<void> {
  const address = `/marathon/${id}/restore?version=${version}`;
  const restored = await writeOne(address, 'POST', latestOf(id, current));
  noteSame(id, version, restored.version);
  rows.peek().replace(restored);
  refreshSoon();
}

async function writeOne(
  address: string,
  method: string,
  version: number,
  body?: Values,
): Promise<Marathon> {
  const answer = await write<Omit<Marathon, 'version'>>(address, {
    method,
    body,
    headers: { 'If-Match': `"${version}"` },
  });
  return { ...answer.body, version: numberOf(answer.headers.get('etag')) ?? version };
}

/** A number stays a number; the service says what is wrong with anything else. */
export function valueOf(column: Column, text: string): string | number | null {
  const trimmed = text.trim();
  if (!trimmed) return null;
  return column === 'inception_year' && /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}
