import { COLUMN_TYPES, type QueryColumn } from './columns.js';
import type { Comparison, Condition, Group } from './conditions.js';
import { isOperatorName, operatorOf, OPERATOR_NAMES, type OperatorName } from './operators.js';
import { Scanner } from './scanner.js';
import { suggest } from './suggest.js';
import { readElement, readValue, unescapeQuoted } from './values.js';

/** Larger queries are taken for an attack or a mistake. */
const [MAX_DEPTH, MAX_COMPARISONS] = [10, 200];

const NAME = /"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*)/y;
const WORD = /[A-Za-z_]*/y;
const OPERATOR = /([a-z_]+)\./y;
/** A word and a point, as in `equals.x`. Text such as `St. Moritz` has a space after the point. */
const OPERATOR_LIKE = /([A-Za-z_]+)(\([^)]*\))?\.(?!\s)/y;

/** Parses the value of a column's parameter, for example `not.eq.x`. The default operator is `eq`. */
export function parseFilter(column: QueryColumn, text: string): Comparison {
  const scanner = new Scanner(text);
  const negated = scanner.skip('not.');
  const operator = negated ? readOperator(scanner) : (readOptionalOperator(scanner) ?? 'eq');
  assertApplicable(scanner, operator, column);
  const value = readValue(scanner, operator, column, () => scanner.takeRest());
  if (!scanner.isAtEnd) scanner.fail('nothing may follow here');
  return { kind: 'comparison', negated, column, operator, value };
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
    const negated = scanner.skip('not.');
    const operator = readOperator(scanner);
    assertApplicable(scanner, operator, column);
    const value = readValue(scanner, operator, column, () => readElement(scanner));
    return { kind: 'comparison', negated, column, operator, value };
  }
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

function readOperator(scanner: Scanner): OperatorName {
  const start = scanner.index;
  const operator = takeOperator(scanner);
  if (operator) return operator;
  const word = scanner.take(WORD)![0];
  return scanner.fail(`"${word}" is not an operator: ${suggestOperator(word)}`, start);
}

/** Returns undefined for a value without an operator. A value that looks like a mistyped one is an error. */
function readOptionalOperator(scanner: Scanner): OperatorName | undefined {
  const start = scanner.index;
  const operator = takeOperator(scanner);
  if (operator) return operator;
  const [attempt, word] = scanner.take(OPERATOR_LIKE) ?? [];
  if (attempt !== undefined) {
    scanner.fail(
      `"${word}" is not an operator: ${suggestOperator(word!)}; ` +
        `for text that begins with "${attempt}", write eq.${attempt}…`,
      start,
    );
  }
  const text = scanner.takeRest();
  if (isOperatorName(text) || text === 'not') {
    scanner.fail(
      `the operator ${text} needs a point and a value; for the text "${text}", write eq.${text}`,
      start,
    );
  }
  scanner.index = start;
  return undefined;
}

/** A word such as `equals` begins with an operator; another one may be a typing mistake. */
function suggestOperator(word: string): string {
  const lower = word.toLowerCase();
  const start = OPERATOR_NAMES.findLast((name) => lower.startsWith(name));
  return start ? `did you mean ${start}?` : suggest(lower, OPERATOR_NAMES);
}

function takeOperator(scanner: Scanner): OperatorName | undefined {
  const start = scanner.index;
  const word = scanner.take(OPERATOR)?.[1];
  if (word !== undefined && isOperatorName(word)) return word;
  scanner.index = start;
  return undefined;
}

function assertApplicable(scanner: Scanner, operator: OperatorName, column: QueryColumn): void {
  const { onlyFor } = operatorOf(operator);
  if (!onlyFor || onlyFor === column.type) return;
  const { description } = COLUMN_TYPES[column.type];
  scanner.fail(`${operator} is for ${onlyFor}, and ${column.name} is ${description}`);
}
