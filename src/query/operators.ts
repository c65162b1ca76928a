import type { Kind } from './columns.js';

/** How a column is compared: the one table that parsing, checking, help and SQL go by. */
interface Operator {
  /** One value, a list of them in parentheses, a pattern with `*` for any characters, or null itself. */
  takes: 'value' | 'list' | 'pattern' | 'null';
  /** Only for columns of this kind. */
  onlyFor?: Kind;
  sql: (column: string, value: string) => string;
}

export const OPERATORS = {
  eq: { takes: 'value', sql: (column, value) => `${column} = ${value}` },
  neq: { takes: 'value', sql: (column, value) => `${column} <> ${value}` },
  gt: { takes: 'value', sql: (column, value) => `${column} > ${value}` },
  gte: { takes: 'value', sql: (column, value) => `${column} >= ${value}` },
  lt: { takes: 'value', sql: (column, value) => `${column} < ${value}` },
  lte: { takes: 'value', sql: (column, value) => `${column} <= ${value}` },
  like: { takes: 'pattern', onlyFor: 'text', sql: (column, value) => `${column} LIKE ${value}` },
  ilike: { takes: 'pattern', onlyFor: 'text', sql: (column, value) => `${column} ILIKE ${value}` },
  in: { takes: 'list', sql: (column, value) => `${column} = ANY (${value})` },
  is: { takes: 'null', sql: (column) => `${column} IS NULL` },
  isdistinct: { takes: 'value', sql: (column, value) => `${column} IS DISTINCT FROM ${value}` },
} satisfies Record<string, Operator>;

export type OperatorName = keyof typeof OPERATORS;

export function operatorOf(name: OperatorName): Operator {
  return OPERATORS[name];
}

export function isOperatorName(word: string): word is OperatorName {
  return Object.hasOwn(OPERATORS, word);
}
