import { isUtf8 } from 'node:buffer';
import type { Fault } from '../http/input.js';
import type { ImportColumn } from './columns.js';
import type { JsonPiece } from './json-pieces.js';
import { RowsRefused, type Rejections } from './rejections.js';
import type { Explain } from './rows.js';

const BATCH_LENGTH = 65_536;

/**
 * Turns JSON values into rows for COPY. A value that is no row is rejected, in the words of `explain`,
 * with a pointer into the array if it stands in one.
 */
export async function* readJsonRows(
  pieces: AsyncIterable<JsonPiece>,
  columns: ImportColumn[],
  rejections: Rejections,
  explain: Explain,
  pointTo: (line: number) => string,
): AsyncGenerator<Buffer> {
  let batch = '';
  for await (const { line, text } of pieces) {
    const { members, faults } = readMembers(text, columns, explain);
    if (faults)
      rejections.add(
        line,
        faults.map((fault) => pointInto(pointTo(line), fault)),
      );
    else batch += toCsv(line, members, columns);
    if (batch.length < BATCH_LENGTH) continue;
    yield Buffer.from(batch);
    batch = '';
  }
  yield Buffer.from(batch);
}

type Members = Record<string, unknown>;

function readMembers(
  text: Buffer,
  columns: ImportColumn[],
  explain: Explain,
): { members: Members; faults?: Fault[] } {
  const value = parse(text);
  if (value instanceof RowsRefused) return { members: {}, faults: [asFault(value.message)] };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      members: {},
      faults: [asFault('must be an object, such as {"name":"Boston Marathon"}')],
    };
  }
  const members = value as Members;
  const isKnown = Object.keys(members).every((name) =>
    columns.some((column) => column.name === name),
  );
  if (isKnown && columns.every((column) => canBeStored(members[column.name], column)))
    return { members };
  return { members, faults: explain(members) };
}

function parse(text: Buffer): unknown {
  if (!isUtf8(text)) return new RowsRefused('is not UTF-8');
  try {
    return JSON.parse(text.toString());
  } catch {
    return new RowsRefused('is not well-formed JSON');
  }
}

/** What COPY can carry; whether the value is a good one is judged by PostgreSQL. */
function canBeStored(value: unknown, { isRequired, jsonType }: ImportColumn): boolean {
  if (value === undefined || value === null) return !isRequired;
  if (typeof value !== jsonType) return false;
  return typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed());
}

function toCsv(line: number, members: Members, columns: ImportColumn[]): string {
  const fields = columns.map(({ name }) => quote(members[name]));
  const absent = columns.filter(({ name }) => members[name] === undefined);
  const absentNames = absent.length ? `"{${absent.map(({ name }) => name).join(',')}}"` : '';
  return `${line},${fields.join(',')},${absentNames}\n`;
}

function quote(value: unknown): string {
  if (typeof value === 'string') return `"${value.replaceAll('"', '""')}"`;
  return typeof value === 'number' ? String(value) : '';
}

function asFault(detail: string): Fault {
  return { pointer: '#', detail };
}

/** The same fault, seen from the whole document. */
export function pointInto(place: string, { pointer, detail }: Fault): Fault {
  return { pointer: place + pointer.slice(1), detail };
}
