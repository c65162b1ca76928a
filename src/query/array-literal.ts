import { QUOTED, unescapeQuoted } from './quoted-text.js';
import type { Scanner } from './scanner.js';

/** An element of an array literal; `text` is null for NULL without quotes. */
export interface ArrayElement {
  text: string | null;
  /** Where it begins. */
  start: number;
}

const MAX_ELEMENTS = 1000;
const WHITE_SPACE = /[ \t\n\r\v\f]*/y;
const UNQUOTED = /(?:[^{},"\\]|\\[^])+/y;
const TRAILING_BACKSLASHES = /\\*$/;

/**
 * Reads an array with one dimension, such as `{a,"b, c",NULL}`, by the rules of PostgreSQL.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function readArrayLiteral(scanner: Scanner): ArrayElement[] {
  scanner.expect('{', 'an array such as {a,"b, c"}');
  const elements: ArrayElement[] = [];
  scanner.take(WHITE_SPACE);
  if (scanner.skip('}')) return elements;
  do {
    elements.push(readElement(scanner));
    if (elements.length > MAX_ELEMENTS) scanner.fail(`more than ${MAX_ELEMENTS} values`);
  } while (scanner.skip(','));
  scanner.expect('}', 'a comma or a closing brace');
  return elements;
}

function readElement(scanner: Scanner): ArrayElement {
  scanner.take(WHITE_SPACE);
  const start = scanner.index;
  const quoted = scanner.take(QUOTED)?.[1];
  if (quoted !== undefined) {
    scanner.take(WHITE_SPACE);
    return { text: unescapeQuoted(quoted), start };
  }
  if (scanner.skip('"')) scanner.fail('this quote is never closed', start);
  const text = scanner.take(UNQUOTED)?.[0];
  if (text === undefined) scanner.fail('a value was expected; the empty text is ""', start);
  const trimmed = trimEnd(text);
  return { text: /^null$/i.test(trimmed) ? null : unescapeQuoted(trimmed), start };
}

/** Removes white space from the end, unless a backslash escapes it. */
function trimEnd(text: string): string {
  let end = text.length;
  while (' \t\n\r\v\f'.includes(text[end - 1]!)) end -= 1;
  const backslashes = TRAILING_BACKSLASHES.exec(text.slice(0, end))![0].length;
  return text.slice(0, end + (backslashes % 2));
}
