import { KINDS, type QueryColumn, type Value } from './columns.js';
import type { Comparison } from './conditions.js';
import { operatorOf, OPERATORS, type OperatorName } from './operators.js';
import type { Scanner } from './scanner.js';

const MOST_VALUES = 1000;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;

/** Reads what an operator compares with; `readText` takes the text of a single value. */
export function readValue(
  scanner: Scanner,
  operator: OperatorName,
  column: QueryColumn,
  readText: () => string,
): Comparison['value'] {
  const { takes } = operatorOf(operator);
  const start = scanner.at;
  if (takes === 'list') return readList(scanner, column);
  const text = readText();
  if (takes === 'null') {
    if (text === 'null') return null;
    scanner.fail(
      'is takes null, and not.is.null the opposite; for anything else there is eq',
      start,
    );
  }
  if (takes === 'pattern' && /(?<!\\)(\\\\)*\\$/.test(text)) {
    scanner.fail('a pattern cannot end in one backslash: write two for one', start);
  }
  return readAs(scanner, column, text, start);
}

function readList(scanner: Scanner, column: QueryColumn): Value[] {
  scanner.expect('(', 'a list such as (Boston,"New York")');
  const values: Value[] = [];
  if (scanner.skip(')')) return values;
  do {
    const start = scanner.at;
    values.push(readAs(scanner, column, readElement(scanner), start));
    if (values.length > MOST_VALUES) scanner.fail(`more than ${MOST_VALUES} values`);
  } while (scanner.skip(','));
  scanner.expect(')', 'a comma or a closing parenthesis');
  return values;
}

/** In quotes, with backslashes before quotes and backslashes; or as it is, to the next comma or `)`. */
export function readElement(scanner: Scanner): string {
  const quoted = scanner.take(QUOTED)?.[1];
  if (quoted !== undefined) return unescape(quoted);
  if (scanner.skip('"')) scanner.fail('this quote has no end', scanner.at - 1);
  return scanner.take(/[^,)]*/y)![0];
}

/** Text that stood in quotes. */
export function unescape(quoted: string): string {
  return quoted.replaceAll(/\\([^])/g, '$1');
}

function readAs(scanner: Scanner, column: QueryColumn, text: string, start: number): Value {
  const { read, wish } = KINDS[column.kind];
  const value = read(text);
  if (value !== undefined) return value;
  const names = Object.keys(OPERATORS).join(', ');
  const told = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const hint = /^[<>=!]|^[a-z]+\./.test(text) ? `; operators are ${names}` : '';
  return scanner.fail(`"${told}" is not ${wish}${hint}`, start);
}
