import type { ColumnType } from './columns.js';

/** A comparison operator. Parsing, validation, help and SQL are all derived from this table. */
interface Operator {
  /** One value, a list in parentheses, a pattern with `*` for any characters, or null. */
  takes: 'value' | 'list' | 'pattern' | 'null';
  /** The only type of column that has the operator. */
  onlyFor?: ColumnType;
  toSql: (column: string, value: string) => string;
}

export const OPERATORS = {
  eq: { takes: 'value', toSql: (column, value) => `${column} = ${value}` },
  neq: { takes: 'value', toSql: (column, value) => `${column} <> ${value}` },
  gt: { takes: 'value', toSql: (column, value) => `${column} > ${value}` },
  gte: { takes: 'value', toSql: (column, value) => `${column} >= ${value}` },
  lt: { takes: 'value', toSql: (column, value) => `${column} < ${value}` },
  lte: { takes: 'value', toSql: (column, value) => `${column} <= ${value}` },
  like: { takes: 'pattern', onlyFor: 'text', toSql: (column, value) => `${column} LIKE ${value}` },
  ilike: {
    takes: 'pattern',
    onlyFor: 'text',
    toSql: (column, value) => `${column} ILIKE ${value}`,
  },
  in: { takes: 'list', toSql: (column, value) => `${column} = ANY (${value})` },
  is: { takes: 'null', toSql: (column) => `${column} IS NULL` },
  isdistinct: { takes: 'value', toSql: (column, value) => `${column} IS DISTINCT FROM ${value}` },
} satisfies Record<string, Operator>;

export type OperatorName = keyof typeof OPERATORS;

export const OPERATOR_NAMES = Object.keys(OPERATORS);

export function operatorOf(name: OperatorName): Operator {
  return OPERATORS[name];
}

export function isOperatorName(word: string): word is OperatorName {
  return Object.hasOwn(OPERATORS, word);
}
