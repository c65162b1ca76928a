import type { QueryColumn, Value } from './columns.js';
import type { OperatorName } from './operators.js';

/** Compares a column with a value, with a list of values for `in`, and with null for `is`. */
export interface Comparison {
  kind: 'comparison';
  negated: boolean;
  column: QueryColumn;
  operator: OperatorName;
  value: Value | Value[] | null;
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
    const { column, operator, value } = condition;
    return `${column.name}.${not}${operator}.${serializeValue(value)}`;
  }
  return `${not}${condition.kind}${serializeMembers(condition)}`;
}

/** Writes the members of a group in parentheses, as `parseGroup` reads them. */
export function serializeMembers({ conditions }: Group): string {
  return `(${conditions.map(serializeCondition).join(',')})`;
}

function serializeValue(value: Comparison['value']): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `(${value.map(serializeValue).join(',')})`;
  return typeof value === 'number' ? String(value) : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
