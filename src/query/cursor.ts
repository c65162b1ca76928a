import { createHash } from 'node:crypto';
import { KINDS, type Value } from './columns.js';
import type { OrderTerm } from './order.js';
import { Misread } from './refusal.js';

/** A place in an ordered list: beside a row, looking on from it or back. */
export interface Cursor {
  values: (Value | null)[];
  isBackward: boolean;
}

/** What makes two questions the same list, short. */
export function fingerprint(question: object): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 12);
}

/** As a word that may stand in an address; it holds for the list of this fingerprint only. */
export function printCursor({ values, isBackward }: Cursor, list: string): string {
  return Buffer.from(JSON.stringify([list, isBackward ? 1 : 0, ...values])).toString('base64url');
}

/** @throws {Misread} where it is no cursor, or one of another list. */
export function parseCursor(text: string, list: string, terms: OrderTerm[]): Cursor {
  const parts = readArray(text);
  const [known, direction, ...values] = parts;
  if (typeof known !== 'string' || (direction !== 0 && direction !== 1)) throw notOurs();
  if (known !== list) {
    throw new Misread('belongs to another filter or order: follow the links of one list');
  }
  if (values.length !== terms.length || !values.every((value, i) => couldBe(value, terms[i]!))) {
    throw notOurs();
  }
  return { values: values as Cursor['values'], isBackward: direction === 1 };
}

function couldBe(value: unknown, { column }: OrderTerm): boolean {
  if (value === null) return true;
  if (column.kind === 'decimal') return typeof value === 'number';
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  return KINDS[column.kind].read(String(value)) === value;
}

function readArray(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(parts)) return parts as unknown[];
  } catch {
    // what it is instead does not matter
  }
  throw notOurs();
}

function notOurs(): Misread {
  return new Misread('is no cursor from here: take it from the header Link, as it is');
}
