import type { QueryColumn, Value } from './columns.js';
import type { OperatorName } from './operators.js';

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
