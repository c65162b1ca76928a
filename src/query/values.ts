import { COLUMN_TYPES, type QueryColumn, type Value } from './columns.js';
import type { Comparison } from './conditions.js';
import { operatorOf, OPERATOR_NAMES, type OperatorName } from './operators.js';
import type { Scanner } from './scanner.js';

const MAX_VALUES = 1000;
const MAX_QUOTED_LENGTH = 40;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;
/** A trailing backslash that is not escaped itself. */
const DANGLING_BACKSLASH = /(?<!\\)(\\\\)*\\$/;

/** Reads the value that an operator compares with. `readText` takes the text of a single value. */
export function readValue(
  scanner: Scanner,
  operator: OperatorName,
  column: QueryColumn,
  readText: () => string,
): Comparison['value'] {
  const { takes } = operatorOf(operator);
  const start = scanner.index;
  if (takes === 'list') return readList(scanner, column);
  const text = readText();
  if (takes === 'null') {
    if (text === 'null') return null;
    scanner.fail(
      'is takes null only, as in is.null and not.is.null; for other values use eq',
      start,
    );
  }
  if (takes === 'pattern' && DANGLING_BACKSLASH.test(text)) {
    scanner.fail('a pattern cannot end in a single backslash: write two', start);
  }
  return toValue(scanner, column, text, start);
}

function readList(scanner: Scanner, column: QueryColumn): Value[] {
  scanner.expect('(', 'a list such as (a,"b, c")');
  const values: Value[] = [];
  if (scanner.skip(')')) return values;
  do {
    const start = scanner.index;
    values.push(toValue(scanner, column, readElement(scanner), start));
    if (values.length > MAX_VALUES) scanner.fail(`more than ${MAX_VALUES} values`);
  } while (scanner.skip(','));
  scanner.expect(')', 'a comma or a closing parenthesis');
  return values;
}

/** Reads an element of a list: quoted text with backslash escapes, or text up to a comma or `)`. */
export function readElement(scanner: Scanner): string {
  const quoted = scanner.take(QUOTED)?.[1];
  if (quoted !== undefined) return unescapeQuoted(quoted);
  if (scanner.skip('"')) scanner.fail('this quote is never closed', scanner.index - 1);
  return scanner.take(/[^,)]*/y)![0];
}

/** Removes the backslash escapes of a quoted text. */
export function unescapeQuoted(quoted: string): string {
  return quoted.replaceAll(/\\([^])/g, '$1');
}

function toValue(scanner: Scanner, column: QueryColumn, text: string, start: number): Value {
  const { parse, description } = COLUMN_TYPES[column.type];
  const value = parse(text);
  if (value !== undefined) return value;
  const shown = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  const hint = /^[<>=!]|^[a-z]+\./.test(text) ? `; operators are ${OPERATOR_NAMES.join(', ')}` : '';
  return scanner.fail(`"${shown}" is not ${description}${hint}`, start);
}
