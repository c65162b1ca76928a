import { didYouMean, nearestTo } from '../did-you-mean.js';
import { KINDS, type QueryColumn } from './columns.js';
import type { Comparison, Condition, Group } from './conditions.js';
import { isOperatorName, operatorOf, OPERATORS, type OperatorName } from './operators.js';
import { Scanner } from './scanner.js';
import { readElement, readValue, unescape } from './values.js';

const GROUPS: Record<string, Group['is']> = { and: 'all', or: 'any' };

/** Beyond these a question is taken for an attack, or for a mistake. */
const [MOST_DEPTH, MOST_COMPARISONS] = [10, 200];

const NAME = /"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*)/y;
const WORD = /[A-Za-z_]*/y;
const OPERATOR_LIKE = /([a-z_]+)\./y;

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
