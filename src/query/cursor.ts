import { createHash } from 'node:crypto';
import { COLUMN_TYPES, type Value } from './columns.js';
import { ParseError } from './errors.js';
import type { OrderTerm } from './order.js';

/** A position in an ordered list, next to a row with these values, and the direction to read in. */
export interface Cursor {
  values: (Value | null)[];
  isBackward: boolean;
}

/** A short hash that is the same for all pages of one list. */
export function listFingerprint(parts: object): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}

/** Encodes a cursor for use in an address. It is valid for the list with this fingerprint only. */
export function encodeCursor({ values, isBackward }: Cursor, fingerprint: string): string {
  const parts = [fingerprint, isBackward ? 1 : 0, ...values];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws {ParseError} if it is no cursor, or the cursor of another list. */
export function decodeCursor(text: string, fingerprint: string, terms: OrderTerm[]): Cursor {
  const [own, direction, ...values] = decodeArray(text);
  if (typeof own !== 'string' || (direction !== 0 && direction !== 1)) throw noCursor();
  if (own !== fingerprint) {
    throw new ParseError('belongs to another filter or order: follow the links of one list');
  }
  const isValid = values.every((value, index) => isPossible(value, terms[index]!));
  if (values.length !== terms.length || !isValid) throw noCursor();
  return { values: values as Cursor['values'], isBackward: direction === 1 };
}

function isPossible(value: unknown, { column }: OrderTerm): boolean {
  if (value === null) return true;
  if (column.type === 'decimal') return typeof value === 'number';
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  return COLUMN_TYPES[column.type].parse(String(value)) === value;
}

function decodeArray(text: string): unknown[] {
  try {
    const bytes = Buffer.from(text, 'base64url');
    const parts: unknown = JSON.parse(bytes.toString());
    // Node also decodes other texts to the same bytes
    if (Array.isArray(parts) && bytes.toString('base64url') === text) return parts as unknown[];
  } catch {
    // any other text is no cursor either
  }
  throw noCursor();
}

function noCursor(): ParseError {
  return new ParseError('is no cursor: copy it unchanged from the header Link');
}
