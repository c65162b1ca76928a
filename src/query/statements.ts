import type { Value } from './columns.js';
import { quoteName } from './columns.js';
import { encodeCursor, type Cursor } from './cursor.js';
import { RELEVANCE, type ListQuery } from './list-query.js';
import { afterSql, orderSql, reverse } from './order.js';
import { outputColumnOf, selectItemSql } from './select.js';
import { conditionSql, Parameters } from './sql.js';

/** How the words of a search are matched. */
export interface SearchMatch {
  /** SQL: whether a row matches. */
  matchesSql: (parameters: Parameters) => string;
  /** SQL: how well a row matches; higher is better. */
  relevanceSql: (parameters: Parameters) => string;
}

/** Where rows come from. */
export interface Source {
  /** SQL: a table, or a query in parentheses. */
  relation: string;
  match?: SearchMatch;
}

/** SQL and the values of its parameters. */
export interface Statement {
  text: string;
  values: unknown[];
}

/** The number of rows in the whole list, and from the cursor on. */
export interface RowCounts {
  total: string;
  remaining: string;
}

/** Selects the rows of a page, in order. */
export function selectRows(query: ListQuery, source: Source): Statement {
  const parameters = new Parameters();
  const items = query.isGrouped
    ? query.select.map(outputColumnOf).map((column) => ({ ...column, column }))
    : query.select;
  const select = items.map(selectItemSql).join(', ');
  const page = pageSql(query, source, parameters, query.limit);
  const text = query.after?.isBackward
    ? `SELECT ${select} FROM (SELECT * ${page}) AS listed ORDER BY ${orderSql(query.order)}`
    : `SELECT ${select} ${page}`;
  return { text, values: parameters.values };
}

/** Selects the sort keys of the first row of a page, of its last row, and of the row after it. */
export function selectPageBoundaries(query: ListQuery, source: Source): Statement {
  const parameters = new Parameters();
  const limit = query.limit ?? 0;
  const names = query.order.map(({ column }) => quoteName(column.name));
  const keys = names.map((name, index) => `${name} AS key${index}`).join(', ');
  const order = orderSql(readingOrder(query));
  const page = pageSql(query, source, parameters, limit + 1);
  const text = `
    SELECT * FROM (SELECT row_number() OVER (ORDER BY ${order}) AS position,
                          count(*) OVER () AS fetched_count, ${keys}
                   FROM (SELECT * ${page}) AS listed) AS numbered
    WHERE position IN (1, ${limit}, ${limit + 1}) ORDER BY position`;
  return { text, values: parameters.values };
}

/** Counts the rows of the whole list. */
export function selectCount(query: ListQuery, source: Source): Statement {
  const parameters = new Parameters();
  const rows = listedSql(query, source, parameters);
  const having = conditionSql(query.having, parameters);
  const isAfterCursor = afterCursorSql(query, parameters);
  const text = `
    SELECT count(*) AS total, count(*) FILTER (WHERE ${isAfterCursor}) AS remaining
    FROM (${rows}) AS listed WHERE ${having}`;
  return { text, values: parameters.values };
}

/** The planner's estimate of the rows of the whole list. `plannedRows` reads the result. */
export function explainRows(query: ListQuery, source: Source): Statement {
  const parameters = new Parameters();
  const rows = listedSql(query, source, parameters);
  const having = conditionSql(query.having, parameters);
  const text = `EXPLAIN (FORMAT JSON) SELECT 1 FROM (${rows}) AS listed WHERE ${having}`;
  return { text, values: parameters.values };
}

/** https://www.postgresql.org/docs/current/sql-explain.html */
export interface Plan {
  'QUERY PLAN': [{ Plan: PlanNode }];
}

/** Citus plans a part of the rows for each task, and shows the plan of one: its own estimate is always the same. */
interface PlanNode {
  'Plan Rows': number;
  'Distributed Query'?: {
    Job: { 'Task Count': number; Tasks: { 'Remote Plan'?: [[{ Plan: PlanNode }]] }[] };
  };
}

export function plannedRows([result]: Plan[]): number {
  const { Plan: node } = result!['QUERY PLAN'][0];
  const job = node['Distributed Query']?.Job;
  const remote = job?.Tasks[0]?.['Remote Plan']?.[0][0].Plan;
  return job && remote ? job['Task Count'] * remote['Plan Rows'] : node['Plan Rows'];
}

/**
 * A row of `selectPageBoundaries`; `position` counts the rows of the page from 1, and `fetched_count` is
 * the number of rows of the page, and of one more if there is a next page.
 */
export type PageBoundary = Record<string, Value | null> & {
  position: string;
  fetched_count: string;
};

/** The cursors of the next and of the previous page, if there are such pages. */
export function nextAndPrevCursors(
  query: ListQuery,
  boundaries: PageBoundary[],
): { next?: string; previous?: string } {
  const cursorAt = (position: number, isBackward: boolean) => {
    const boundary = boundaries.find((row) => Number(row.position) === position);
    return boundary && encodeCursor(toCursor(query, boundary, isBackward), query.fingerprint);
  };
  const limit = query.limit ?? 0;
  const isBackward = query.after?.isBackward ?? false;
  const hasMore = boundaries.some(({ position }) => Number(position) === limit + 1);
  const onward = hasMore ? cursorAt(limit, isBackward) : undefined;
  const back = query.after || query.offset ? cursorAt(1, !isBackward) : undefined;
  return isBackward ? { next: back, previous: onward } : { next: onward, previous: back };
}

function toCursor({ order }: ListQuery, boundary: PageBoundary, isBackward: boolean): Cursor {
  const values = order.map(({ column }, index) => {
    const value = boundary[`key${index}`] ?? null;
    return value === null || column.type === 'text' ? value : Number(value);
  });
  return { values, isBackward };
}

/** The rows of a page in the order in which they are read. Some cursors read backward. */
function pageSql(query: ListQuery, source: Source, parameters: Parameters, limit?: number): string {
  const rows = listedSql(query, source, parameters);
  const having = conditionSql(query.having, parameters);
  const isAfterCursor = afterCursorSql(query, parameters);
  const limited = limit === undefined ? '' : ` LIMIT ${limit}`;
  const order = orderSql(readingOrder(query));
  const sorted = order && ` ORDER BY ${order}`;
  // OFFSET 0 keeps the order of a subquery also where tables are distributed
  const bounds = `${limited} OFFSET ${query.offset}`;
  return `FROM (${rows}) AS listed WHERE ${having} AND ${isAfterCursor}${sorted}${bounds}`;
}

function readingOrder({ order, after }: ListQuery) {
  return after?.isBackward ? reverse(order) : order;
}

function afterCursorSql(query: ListQuery, parameters: Parameters): string {
  const { after } = query;
  return after ? afterSql(readingOrder(query), after.values, parameters) : 'true';
}

/** SQL: whether a row of the source satisfies the conditions and the search. */
export function matchingSql(
  { where }: Pick<ListQuery, 'where'>,
  { match }: Source,
  parameters: Parameters,
): string {
  const matches = match?.matchesSql(parameters) ?? 'true';
  return `${matches} AND ${conditionSql(where, parameters)}`;
}

/** The rows of the whole list, with every column that they can be sorted by. */
function listedSql(query: ListQuery, source: Source, parameters: Parameters): string {
  const where = `WHERE ${matchingSql(query, source, parameters)}`;
  const { isGrouped, select } = query;
  if (!isGrouped) {
    const relevance = source.match?.relevanceSql(parameters);
    const column = relevance ? `, ${relevance} AS ${quoteName(RELEVANCE.name)}` : '';
    return `SELECT source.*${column} FROM ${source.relation} AS source ${where}`;
  }
  const groups = select.flatMap(({ aggregate }, index) => (aggregate ? [] : [index + 1]));
  const groupBy = groups.length ? ` GROUP BY ${groups.join(', ')}` : '';
  const items = select.map(selectItemSql).join(', ');
  return `SELECT ${items} FROM ${source.relation} AS source ${where}${groupBy}`;
}
