import { COLUMN_TYPES, type QueryColumn, type Value } from './columns.js';
import { readArrayLiteral } from './array-literal.js';
import type { Comparison, ModifiedOperator } from './conditions.js';
import { operatorOf, OPERATOR_NAMES, type OperatorName } from './operators.js';
import { QUOTED, unescapeQuoted } from './quoted-text.js';
import type { Scanner } from './scanner.js';

const MAX_VALUES = 1000;
const MAX_REGEX_LENGTH = 200;
const MAX_QUOTED_LENGTH = 40;
/** A trailing backslash that is not escaped itself. */
const DANGLING_BACKSLASH = /(?<!\\)(\\\\)*\\$/;

/** Reads the value that an operator compares with. `readText` takes the text of a single value. */
export function readValue(
  scanner: Scanner,
  { operator, quantifier }: ModifiedOperator,
  column: QueryColumn,
  readText: () => string,
): Comparison['value'] {
  const { takes } = operatorOf(operator);
  if (takes === 'list') return readList(scanner, column);
  if (quantifier) {
    return readArrayLiteral(scanner).map(({ text, start }) =>
      text === null ? null : toOperand(scanner, operator, column, text, start),
    );
  }
  const start = scanner.index;
  const text = readText();
  if (takes === 'null') return readNull(scanner, column, text, start);
  return toOperand(scanner, operator, column, text, start);
}

function readNull(scanner: Scanner, column: QueryColumn, text: string, start: number): null {
  if (/^null$/i.test(text)) return null;
  if (/^(true|false|unknown)$/i.test(text)) {
    scanner.fail(
      `is.${text} is for columns that are true or false, and ${column.name} is not`,
      start,
    );
  }
  return scanner.fail('is takes null and not_null only; for other values use eq', start);
}

function toOperand(
  scanner: Scanner,
  operator: OperatorName,
  column: QueryColumn,
  text: string,
  start: number,
): Value {
  const { takes } = operatorOf(operator);
  if (takes === 'pattern' && DANGLING_BACKSLASH.test(text)) {
    scanner.fail('a pattern cannot end in a single backslash: write two', start);
  }
  if (takes === 'regex' && text.length > MAX_REGEX_LENGTH) {
    scanner.fail(`a regular expression has at most ${MAX_REGEX_LENGTH} characters`, start);
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

function toValue(scanner: Scanner, column: QueryColumn, text: string, start: number): Value {
  const { parse, description } = COLUMN_TYPES[column.type];
  const value = parse(text);
  if (value !== undefined) return value;
  const shown = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  const hint = /^[<>=!]|^[a-z]+\./.test(text) ? `; operators are ${OPERATOR_NAMES.join(', ')}` : '';
  return scanner.fail(`"${shown}" is not ${description}${hint}`, start);
}
