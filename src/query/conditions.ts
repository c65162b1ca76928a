import type { QueryColumn, Value } from './columns.js';
import type { OperatorName } from './operators.js';

/** An operator and its modifier. */
export interface ModifiedOperator {
  operator: OperatorName;
  /** Whether the comparison must be true for one value of an array, or for all of them. */
  quantifier?: 'any' | 'all';
  /** The text search configuration of a full-text search. */
  language?: string;
}

/**
 * Compares a column with a value, with a list of values for `in` and for a quantifier, and with null for
 * `is`.
 */
export interface Comparison extends ModifiedOperator {
  kind: 'comparison';
  negated: boolean;
  column: QueryColumn;
  value: Value | (Value | null)[] | null;
}

/** Conditions joined by AND or OR. */
export interface Group {
  kind: 'and' | 'or';
  negated: boolean;
  conditions: Condition[];
}

export type Condition = Comparison | Group;

/** Writes a condition as a member of a group. Parsing the text gives the same condition. */
export function serializeCondition(condition: Condition): string {
  const not = condition.negated ? 'not.' : '';
  if (condition.kind === 'comparison') {
    const { column, value, quantifier } = condition;
    const text = quantifier ? serializeArray(value as Value[]) : serializeValue(value);
    return `${column.name}.${not}${serializeOperator(condition)}.${text}`;
  }
  return `${not}${condition.kind}${serializeMembers(condition)}`;
}

/** Writes the members of a group in parentheses, as `parseGroup` reads them. */
export function serializeMembers({ conditions }: Group): string {
  return `(${conditions.map(serializeCondition).join(',')})`;
}

function serializeOperator({ operator, quantifier, language }: ModifiedOperator): string {
  const modifier = quantifier ?? language;
  return modifier === undefined ? operator : `${operator}(${modifier})`;
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function serializeArray(values: (Value | null)[]): string {
  return `{${values.map(serializeValue).join(',')}}`;
}

function serializeValue(value: Comparison['value']): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `(${value.map(serializeValue).join(',')})`;
  return typeof value === 'number' ? String(value) : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
