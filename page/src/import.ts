import { signal } from '@preact/signals';
import { authorization, RefusedError, send } from './api.ts';
import { texts } from './texts.ts';
import type { Column, Marathon, Problem } from './types.ts';
import { CHANGES } from './writes.ts';

/** How many rows a preview shows. */
export const MAX_SHOWN = 200;
const HEADER_BYTES = 65_536;
export const SEPARATORS = [',', ';', '\t', '|'];
const MEDIA_TYPES: Record<string, string> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
};

/** What happens to a marathon that is there already, by name and city. */
export type Existing = 'add' | 'update' | 'skip';

export interface Plan {
  file: File;
  /** Pasted cells, which change the rows with their ids. */
  areCells: boolean;
  /** The separator of the file; empty if it is detected. */
  separator: string;
  /** The columns of the file; empty if it is not CSV. */
  header: string[];
  /** Which column of the file each column is read from. */
  mapping: Partial<Record<Column, string>>;
  existing: Existing;
  charset: string;
}

export interface Counts {
  inserted: number;
  updated: number;
  skipped: number;
}

/** What an import would do. */
export interface Preview {
  counts: Counts;
  /** The first rows that would be added or changed. */
  rows: Marathon[];
  /** The marathons as they are, of the rows that would be changed, by id. */
  before: Map<number, Marathon>;
}

export const plan = signal<Plan | undefined>(undefined);

/** A row of pasted cells. One without an id is new. */
export type CellRow = { id?: number } & Partial<Record<Column, string | number | null>>;

/** Reads which columns a file has, and guesses which is which. */
export async function choose(file: File): Promise<void> {
  const planned = { file, existing: 'skip', charset: '', separator: '', areCells: false } as const;
  plan.value = { ...planned, ...(await readHeader(file)) };
}

/** Reads the columns again, with another separator. */
export async function separateBy(separator: string): Promise<void> {
  const planned = plan.peek()!;
  plan.value = { ...planned, separator, ...(await readHeader(planned.file, separator)) };
}

/** Text that was pasted, as a file. */
export function fileOf(text: string): File {
  const start = text.trimStart();
  const isJson = start.startsWith('[') || /^\{[^]*\}\s*$/.test(start);
  const isLines = start.startsWith('{') && start.includes('\n{');
  const extension = isLines ? 'ndjson' : isJson ? 'json' : 'csv';
  return new File([text], `${texts.pasted}.${extension}`);
}

/** Plans to write pasted cells. */
export function planCells(cells: CellRow[]): void {
  const file = new File([JSON.stringify(cells)], `${texts.pasted}.json`);
  const other = { header: [], mapping: {}, charset: '', separator: '' };
  plan.value = { file, areCells: true, existing: 'update', ...other };
}

async function readHeader(file: File, separator?: string) {
  const isText = mediaTypeOf(file) === 'text/csv';
  const start = isText ? await file.slice(0, HEADER_BYTES).text() : '';
  const header = parseHeader(start, separator);
  return { header, mapping: guess(header) };
}

function parseHeader(text: string, chosen?: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const line = lines.find((each) => each.trim() && !each.startsWith('sep=')) ?? '';
  const counts = SEPARATORS.map((separator) => line.split(separator).length);
  const separator = chosen || SEPARATORS[counts.indexOf(Math.max(...counts))]!;
  return line
    .split(separator)
    .map((name) => name.trim().replaceAll(/^"|"$/g, ''))
    .filter(Boolean);
}

const WORDS: Record<Column, RegExp> = {
  name: /^(name|race|marathon|event|title)/i,
  city: /city|town|place|location/i,
  inception_year: /year|founded|inception|since/i,
};

function guess(header: string[]): Plan['mapping'] {
  const columns = Object.keys(WORDS) as Column[];
  return Object.fromEntries(
    columns.map((column) => [
      column,
      header.find((name) => name === column) ?? header.find((name) => WORDS[column].test(name)),
    ]),
  );
}

/** Imports a file as a dry run. @throws as `send`; the errors of rows are in the problem */
export async function dryRun(planned: Plan, aborted: AbortSignal): Promise<Preview> {
  const address = addressOf(planned);
  const isSmall = planned.file.size < 1_000_000;
  const counts = (await sendFile<Counts>(address, planned, 'tx=rollback', aborted)).body;
  if (!isSmall) return { counts, rows: [], before: new Map() };
  const prefer = 'tx=rollback, return=representation';
  const shown = `${address}&select=*,version`;
  const { body } = await sendFile<{ marathon_list: Marathon[] }>(shown, planned, prefer, aborted);
  const rows = body.marathon_list.slice(0, MAX_SHOWN);
  return { counts, rows, before: await fetchBefore(rows, aborted) };
}

async function sendFile<Body>(
  address: string,
  planned: Plan,
  prefer: string,
  aborted: AbortSignal,
) {
  const headers = { ...headersOf(planned), Prefer: [prefer, ...resolutionOf(planned)].join(', ') };
  return send<Body>(address, {
    method: 'POST',
    file: bodyOf(planned),
    headers,
    signal: aborted,
  });
}

/** A marathon with another version than the first one is there already. */
async function fetchBefore(rows: Marathon[], aborted: AbortSignal): Promise<Map<number, Marathon>> {
  const ids = rows.filter(({ version }) => version > 1).map(({ id }) => id);
  if (!ids.length) return new Map();
  const { body } = await send<{ marathon_list: Marathon[] }>(`/marathon/?id=in.(${ids.join()})`, {
    signal: aborted,
  });
  return new Map(body.marathon_list.map((marathon) => [marathon.id, marathon]));
}

/**
 * Imports a file, all or nothing. XMLHttpRequest, because fetch does not tell how much was sent.
 * @throws {RefusedError} with the problem document
 */
export async function importFile(
  planned: Plan,
  onProgress: (share: number) => void,
  aborted: AbortSignal,
): Promise<{ counts: Counts; changes: string | null }> {
  const request = new XMLHttpRequest();
  request.open('POST', addressOf(planned));
  const headers = {
    ...authorization(),
    ...headersOf(planned),
    Prefer: resolutionOf(planned).join(', '),
  };
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
  aborted.addEventListener('abort', () => request.abort());
  const ended = new Promise((resolve) => request.addEventListener('loadend', resolve));
  request.send(bodyOf(planned));
  await ended;
  if (!request.status) throw new Error(texts.importEnded);
  const body = JSON.parse(request.responseText) as Counts | Problem;
  if (request.status >= 300) throw new RefusedError(body as Problem, undefined);
  return { counts: body as Counts, changes: request.getResponseHeader(CHANGES) };
}

/** A first line names the separator, if one was chosen. */
function bodyOf({ file, separator }: Plan): Blob {
  return separator ? new Blob([`sep=${separator}\n`, file]) : file;
}

/** How many lines the body has before those of the file. */
export function addedLines({ separator }: Plan): number {
  return separator ? 1 : 0;
}

function addressOf({ header, mapping, existing, areCells }: Plan): string {
  const parameters = new URLSearchParams();
  if (existing !== 'add') parameters.set('on_conflict', areCells ? 'id' : 'name,city');
  const chosen = Object.entries(mapping).filter(([, from]) => from);
  const isRenamed = chosen.some(([column, from]) => column !== from);
  const hasOthers = header.some((name) => !chosen.some(([, from]) => from === name));
  if (header.length && (isRenamed || hasOthers)) {
    const columns = chosen.map(([column, from]) => `${column}:"${from.replaceAll('"', '""')}"`);
    parameters.set('columns', columns.join(','));
  }
  return `/marathon/?${parameters.toString()}`;
}

function headersOf({ file, charset }: Plan): Record<string, string> {
  return { 'Content-Type': mediaTypeOf(file) + (charset ? `; charset=${charset}` : '') };
}

function resolutionOf({ existing }: Plan): string[] {
  if (existing === 'add') return [];
  return [`resolution=${existing === 'skip' ? 'ignore' : 'merge'}-duplicates`];
}

function mediaTypeOf({ name }: File): string {
  return MEDIA_TYPES[name.split('.').at(-1)!.toLowerCase()] ?? 'text/csv';
}
