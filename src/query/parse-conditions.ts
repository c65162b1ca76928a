import type { QueryColumn } from './columns.js';
import type { Comparison, Condition, Group, ModifiedOperator } from './conditions.js';
import { readOperator, readOptionalOperator } from './parse-operator.js';
import { unescapeQuoted } from './quoted-text.js';
import { Scanner } from './scanner.js';
import { suggest } from './suggest.js';
import { readElement, readValue } from './values.js';

/** Larger queries are not parsed. Settings allow less: see `lists/query-limits.ts`. */
const [MAX_DEPTH, MAX_COMPARISONS] = [50, 1000];

const NOT_NULL = /not_null/iy;
const NAME = /"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*)/y;

/** Parses the value of a column's parameter, for example `not.eq.x`. The default operator is `eq`. */
export function parseFilter(column: QueryColumn, text: string): Comparison {
  const scanner = new Scanner(text);
  const isNegated = scanner.skip('not.');
  const operator = isNegated
    ? readOperator(scanner, column)
    : (readOptionalOperator(scanner, column) ?? { operator: 'eq' });
  const comparison = readOperand(scanner, isNegated, operator, column, () => scanner.takeRest());
  if (!scanner.isAtEnd) scanner.fail('nothing may follow here');
  return comparison;
}

/** Parses the value of `and=` and `or=`: conditions in parentheses, separated by commas. */
export function parseGroup(kind: Group['kind'], text: string, columns: QueryColumn[]): Group {
  return new GroupParser(text, columns).parse(kind);
}

/** Parses conditions without parentheses around them, joined by AND. */
export function parseList(text: string, columns: QueryColumn[]): Group {
  return parseGroup('and', `(${text})`, columns);
}

class GroupParser {
  private readonly scanner: Scanner;
  private comparisonCount = 0;

  constructor(
    text: string,
    private readonly columns: QueryColumn[],
  ) {
    this.scanner = new Scanner(text);
  }

  parse(kind: Group['kind']): Group {
    const conditions = this.readMembers(1);
    if (!this.scanner.isAtEnd) this.scanner.fail('nothing may follow the closing parenthesis');
    return { kind, negated: false, conditions };
  }

  private readMembers(depth: number): Condition[] {
    const { scanner } = this;
    if (depth > MAX_DEPTH) scanner.fail(`more than ${MAX_DEPTH} nested parentheses`);
    scanner.expect('(', 'an opening parenthesis');
    const members: Condition[] = [];
    do members.push(this.readMember(depth));
    while (scanner.skip(','));
    scanner.expect(')', 'a comma or a closing parenthesis');
    return members;
  }

  private readMember(depth: number): Condition {
    const negated = this.scanner.skip('not.');
    const kind = this.scanner.take(/(and|or)(?=\()/y)?.[1] as Group['kind'] | undefined;
    if (kind) return { kind, negated, conditions: this.readMembers(depth + 1) };
    if (negated) this.scanner.fail('not. belongs before and(…) and or(…), or after a column');
    return this.readComparison();
  }

  private readComparison(): Comparison {
    const { scanner } = this;
    this.comparisonCount += 1;
    if (this.comparisonCount > MAX_COMPARISONS) {
      scanner.fail(`more than ${MAX_COMPARISONS} conditions`);
    }
    const column = readColumn(scanner, this.columns);
    scanner.expect('.', `a point and an operator, as in ${column.name}.eq.value,`);
    const isNegated = scanner.skip('not.');
    const operator = readOperator(scanner, column);
    return readOperand(scanner, isNegated, operator, column, () => readElement(scanner));
  }
}

function readOperand(
  scanner: Scanner,
  isNegated: boolean,
  operator: ModifiedOperator,
  column: QueryColumn,
  readText: () => string,
): Comparison {
  const common = { kind: 'comparison' as const, ...operator, column };
  // not_null is the only value with a negation of its own
  if (operator.operator === 'is' && scanner.take(NOT_NULL)) {
    return { ...common, negated: !isNegated, value: null };
  }
  const value = readValue(scanner, operator, column, readText);
  return { ...common, negated: isNegated, value };
}

/** Reads the name of a column, with or without quotes. */
export function readColumn(scanner: Scanner, columns: QueryColumn[]): QueryColumn {
  const start = scanner.index;
  const [, quoted, plain] = scanner.take(NAME) ?? [];
  const name = quoted === undefined ? plain : unescapeQuoted(quoted);
  if (name === undefined) scanner.fail('a column was expected');
  const column = columns.find((candidate) => candidate.name === name);
  if (column) return column;
  const names = columns.map((candidate) => candidate.name);
  return scanner.fail(`there is no column "${name}": ${suggest(name, names)}`, start);
}
