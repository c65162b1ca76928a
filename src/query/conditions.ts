import { didYouMean, nearestTo } from '../did-you-mean.js';
import { KINDS, type QueryColumn, type Value } from './columns.js';
import { isOperatorName, operatorOf, OPERATORS, type OperatorName } from './operators.js';
import { Scanner } from './scanner.js';

/** A column beside a value: of one, of a list for `in`, and none for `is`, which asks for null. */
export interface Comparison {
  is: 'comparison';
  isNot: boolean;
  column: QueryColumn;
  operator: OperatorName;
  value: Value | Value[] | null;
}

/** Conditions of which all have to hold, or any. */
export interface Group {
  is: 'all' | 'any';
  isNot: boolean;
  of: Condition[];
}

export type Condition = Comparison | Group;

const GROUPS: Record<string, Group['is']> = { and: 'all', or: 'any' };

/** Beyond these a question is taken for an attack, or for a mistake. */
const [MOST_DEPTH, MOST_COMPARISONS, MOST_VALUES] = [10, 200, 1000];

const NAME = /"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*)/y;
const WORD = /[A-Za-z_]*/y;
const OPERATOR_LIKE = /([a-z_]+)\./y;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;

/**
 * Reads the value of a parameter that is a column, such as `not.eq.Boston`; without an operator it
 * means `eq`.
 */
export function parseFilter(column: QueryColumn, text: string): Comparison {
  const scanner = new Scanner(text);
  const isNot = scanner.skip('not.');
  const operator = readOperator(scanner, isNot) ?? 'eq';
  mustFit(scanner, operator, column);
  const value = readValue(scanner, operator, column, () => scanner.takeRest());
  if (!scanner.isAtEnd) scanner.fail('nothing may follow here');
  return { is: 'comparison', isNot, column, operator, value };
}

/** Reads the value of `and`, `or` and their like: conditions in parentheses, separated by commas. */
export function parseGroup(is: Group['is'], text: string, columns: QueryColumn[]): Group {
  const reader = new GroupReader(text, columns);
  return reader.readAll(is);
}

/** A list of conditions without parentheses around it, of which all have to hold. */
export function parseList(text: string, columns: QueryColumn[]): Group {
  return parseGroup('all', `(${text})`, columns);
}

class GroupReader {
  private readonly scanner: Scanner;
  private comparisons = 0;

  constructor(
    text: string,
    private readonly columns: QueryColumn[],
  ) {
    this.scanner = new Scanner(text);
  }

  readAll(is: Group['is']): Group {
    const of = this.readItems(1);
    if (!this.scanner.isAtEnd) this.scanner.fail('nothing may follow the closing parenthesis');
    return { is, isNot: false, of };
  }

  private readItems(depth: number): Condition[] {
    const { scanner } = this;
    if (depth > MOST_DEPTH) scanner.fail(`more than ${MOST_DEPTH} parentheses within each other`);
    scanner.expect('(', 'an opening parenthesis');
    const items: Condition[] = [];
    do items.push(this.readItem(depth));
    while (scanner.skip(','));
    scanner.expect(')', 'a comma or a closing parenthesis');
    return items;
  }

  private readItem(depth: number): Condition {
    const isNot = this.scanner.skip('not.');
    const group = this.scanner.take(/(and|or)(?=\()/y)?.[1];
    if (group) return { is: GROUPS[group]!, isNot, of: this.readItems(depth + 1) };
    if (isNot) this.scanner.fail('not. stands before and(…), or(…), or after a column');
    return this.readComparison();
  }

  private readComparison(): Comparison {
    const { scanner } = this;
    this.comparisons += 1;
    if (this.comparisons > MOST_COMPARISONS) {
      scanner.fail(`more than ${MOST_COMPARISONS} conditions`);
    }
    const column = readColumn(scanner, this.columns);
    scanner.expect('.', `a point and an operator, as in ${column.name}.eq.value,`);
    const isNot = scanner.skip('not.');
    const operator = readOperator(scanner, true)!;
    mustFit(scanner, operator, column);
    const value = readValue(scanner, operator, column, () => readElement(scanner));
    return { is: 'comparison', isNot, column, operator, value };
  }
}

/** Takes a column's name, in quotes or without. */
export function readColumn(scanner: Scanner, columns: QueryColumn[]): QueryColumn {
  const start = scanner.at;
  const [, quoted, plain] = scanner.take(NAME) ?? [];
  const name = quoted === undefined ? plain : unescape(quoted);
  if (name === undefined) scanner.fail('a column was expected');
  const column = columns.find((known) => known.name === name);
  if (column) return column;
  const names = columns.map((known) => known.name);
  return scanner.fail(`there is no column "${name}": ${didYouMean(name, names)}`, start);
}

/** Undefined where a plain value begins, and none is demanded. */
function readOperator(scanner: Scanner, isDemanded: boolean): OperatorName | undefined {
  const start = scanner.at;
  const word = scanner.take(OPERATOR_LIKE)?.[1];
  if (word !== undefined && isOperatorName(word)) return word;
  scanner.at = start;
  const known = Object.keys(OPERATORS);
  if (isDemanded) {
    const found = scanner.take(WORD)![0];
    scanner.fail(`"${found}" is not an operator: ${didYouMean(found, known)}`, start);
  }
  if (word === undefined) return undefined;
  const meant = nearestTo(
    word,
    known.filter((name) => name.length > 2),
    1,
  );
  if (!meant) return undefined;
  return scanner.fail(`did you mean ${meant}? For text that begins so, write eq.${word}.…`, start);
}

function mustFit(scanner: Scanner, operator: OperatorName, column: QueryColumn): void {
  const { onlyFor } = operatorOf(operator);
  if (!onlyFor || onlyFor === column.kind) return;
  scanner.fail(`${operator} is for ${onlyFor}, and ${column.name} is ${KINDS[column.kind].wish}`);
}

function readValue(
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
function readElement(scanner: Scanner): string {
  const quoted = scanner.take(QUOTED)?.[1];
  if (quoted !== undefined) return unescape(quoted);
  if (scanner.skip('"')) scanner.fail('this quote has no end', scanner.at - 1);
  return scanner.take(/[^,)]*/y)![0];
}

function unescape(quoted: string): string {
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

/** Writes a condition as it may stand in a group: reading it again gives the same condition. */
export function printCondition(condition: Condition): string {
  const not = condition.isNot ? 'not.' : '';
  if (condition.is === 'comparison') {
    const { column, operator, value } = condition;
    return `${column.name}.${not}${operator}.${printValue(value)}`;
  }
  const word = condition.is === 'all' ? 'and' : 'or';
  return `${not}${word}${printItems(condition)}`;
}

/** Writes what `parseGroup` reads. */
export function printItems({ of }: Group): string {
  return `(${of.map(printCondition).join(',')})`;
}

function printValue(value: Comparison['value']): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `(${value.map(printValue).join(',')})`;
  return typeof value === 'number' ? String(value) : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
