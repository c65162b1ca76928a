import { COLUMN_TYPES, type QueryColumn } from './columns.js';
import type { ModifiedOperator } from './conditions.js';
import { isOperatorName, operatorOf, OPERATOR_NAMES, type OperatorName } from './operators.js';
import type { Scanner } from './scanner.js';
import { suggest } from './suggest.js';

const OPERATOR = /([a-z_]+)(?:\(([^()]*)\))?\./y;
/** A word and a point, as in `equals.x`. Text such as `St. Moritz` has a space after the point. */
const OPERATOR_LIKE = /([A-Za-z_]+)(\([^()]*\))?\.(?!\s)/y;
const WORD = /[A-Za-z_]*/y;
const LANGUAGE = /^[a-z_][a-z0-9_]{0,62}$/;

/** Reads an operator, its modifier and the point after it. */
export function readOperator(scanner: Scanner, column: QueryColumn): ModifiedOperator {
  const start = scanner.index;
  const operator = takeOperator(scanner, column);
  if (operator) return operator;
  const word = scanner.take(WORD)![0];
  return scanner.fail(`"${word}" is not an operator: ${suggestOperator(word)}`, start);
}

/** Returns undefined for a value without an operator. A value that looks like a mistyped one is an error. */
export function readOptionalOperator(
  scanner: Scanner,
  column: QueryColumn,
): ModifiedOperator | undefined {
  const start = scanner.index;
  const operator = takeOperator(scanner, column);
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

function takeOperator(scanner: Scanner, column: QueryColumn): ModifiedOperator | undefined {
  const start = scanner.index;
  const [, operator, modifier] = scanner.take(OPERATOR) ?? [];
  if (operator === undefined || !isOperatorName(operator)) {
    scanner.index = start;
    return undefined;
  }
  const { onlyFor } = operatorOf(operator);
  if (onlyFor && onlyFor !== column.type) {
    const { description } = COLUMN_TYPES[column.type];
    scanner.fail(`${operator} is for ${onlyFor}, and ${column.name} is ${description}`);
  }
  return { operator, ...toModifier(scanner, operator, modifier) };
}

function toModifier(
  scanner: Scanner,
  operator: OperatorName,
  modifier: string | undefined,
): Omit<ModifiedOperator, 'operator'> {
  if (modifier === undefined) return {};
  const { hasQuantifiers, takes } = operatorOf(operator);
  if (hasQuantifiers) {
    if (modifier === 'any' || modifier === 'all') return { quantifier: modifier };
    scanner.fail(`the modifiers of ${operator} are (any) and (all)`);
  }
  if (takes !== 'words') scanner.fail(`${operator} has no modifiers`);
  if (LANGUAGE.test(modifier)) return { language: modifier };
  return scanner.fail(`"${modifier}" is not a language, as in ${operator}(english)`);
}

/** A word such as `equals` begins with an operator; another one may be a typing mistake. */
function suggestOperator(word: string): string {
  const lower = word.toLowerCase();
  const start = OPERATOR_NAMES.findLast((name) => lower.startsWith(name));
  return start ? `did you mean ${start}?` : suggest(lower, OPERATOR_NAMES);
}
