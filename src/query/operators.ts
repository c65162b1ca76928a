import type { ColumnType } from './columns.js';

/** A comparison operator. Parsing, validation, help and SQL are all derived from this table. */
interface Operator {
  /**
   * One value, a list in parentheses, a pattern with `*` for any characters, a regular expression, words
   * of a full-text search, or null.
   */
  takes: 'value' | 'list' | 'pattern' | 'regex' | 'words' | 'null';
  /** The only type of column that has the operator. */
  onlyFor?: ColumnType;
  /** Whether it has the modifiers `(any)` and `(all)`. */
  hasQuantifiers?: boolean;
  toSql: (column: string, operand: string) => string;
}

/** An operator that compares with one value, or with each value of an array. */
function comparison(sql: string): Operator {
  return {
    takes: 'value',
    hasQuantifiers: true,
    toSql: (column, operand) => `${column} ${sql} ${operand}`,
  };
}

function textComparison(sql: string, takes: 'pattern' | 'regex'): Operator {
  return { ...comparison(sql), takes, onlyFor: 'text' };
}

/** https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES */
function fullTextSearch(toQuery: string): Operator {
  return {
    takes: 'words',
    onlyFor: 'text',
    toSql: (column, words) => `to_tsvector(${column}) @@ ${toQuery}(${words})`,
  };
}

export const OPERATORS = {
  eq: comparison('='),
  neq: { ...comparison('<>'), hasQuantifiers: false },
  gt: comparison('>'),
  gte: comparison('>='),
  lt: comparison('<'),
  lte: comparison('<='),
  like: textComparison('LIKE', 'pattern'),
  ilike: textComparison('ILIKE', 'pattern'),
  match: textComparison('~', 'regex'),
  imatch: textComparison('~*', 'regex'),
  in: { takes: 'list', toSql: (column, list) => `${column} = ANY (${list})` },
  is: { takes: 'null', toSql: (column) => `${column} IS NULL` },
  isdistinct: { takes: 'value', toSql: (column, value) => `${column} IS DISTINCT FROM ${value}` },
  fts: fullTextSearch('to_tsquery'),
  plfts: fullTextSearch('plainto_tsquery'),
  phfts: fullTextSearch('phraseto_tsquery'),
  wfts: fullTextSearch('websearch_to_tsquery'),
} satisfies Record<string, Operator>;

export type OperatorName = keyof typeof OPERATORS;

export const OPERATOR_NAMES = Object.keys(OPERATORS);

export function operatorOf(name: OperatorName): Operator {
  return OPERATORS[name];
}

export function isOperatorName(word: string): word is OperatorName {
  return Object.hasOwn(OPERATORS, word);
}

/** The operators of columns of a type. */
export function operatorsOf(type: ColumnType): string[] {
  return OPERATOR_NAMES.filter((name) => {
    const { onlyFor } = operatorOf(name as OperatorName);
    return onlyFor === undefined || onlyFor === type;
  });
}
