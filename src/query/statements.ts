import type { Value } from './columns.js';
import { quoteName } from './columns.js';
import { printCursor, type Cursor } from './cursor.js';
import { RELEVANCE, type Listing } from './listing.js';
import { reverse, writeAfter, writeOrder } from './order.js';
import { columnOf, writeOutput } from './outputs.js';
import { Parameters, writeCondition } from './sql.js';

/** Where rows come from: SQL for a relation that has the columns, and for what a search compares. */
export interface Source {
  relation: string;
  /** SQL for whether a row has what was searched for, and for how well it fits. */
  search?: {
    isFound: (parameters: Parameters) => string;
    relevance: (parameters: Parameters) => string;
  };
}

/** SQL with places for its values. */
export interface Statement {
  text: string;
  values: unknown[];
}

/** How many rows the whole list has, and how many lie beyond the cursor. */
export interface Counted {
  total: string;
  beyond: string;
}

/** The rows that are asked for, in order. */
export function selectRows(listing: Listing, source: Source): Statement {
  const parameters = new Parameters();
  const outputs = (
    listing.isGrouped
      ? listing.outputs.map(columnOf).map((column) => ({ ...column, column }))
      : listing.outputs
  )
    .map(writeOutput)
    .join(', ');
  const page = writePage(listing, source, parameters, listing.limit);
  const text = listing.after?.isBackward
    ? `SELECT ${outputs} FROM (SELECT * ${page}) AS listed ORDER BY ${writeOrder(listing.order)}`
    : `SELECT ${outputs} ${page}`;
  return { text, values: parameters.values };
}

/** The first row of a page, its last, and the one after it, by what they are sorted by. */
export function selectEdges(listing: Listing, source: Source): Statement {
  const parameters = new Parameters();
  const limit = listing.limit ?? 0;
  const names = listing.order.map(({ column }) => quoteName(column.name));
  const keys = names.map((name, index) => `${name} AS key${index}`).join(', ');
  const order = writeOrder(readingOrder(listing));
  const page = writePage(listing, source, parameters, limit + 1);
  const text = `
    SELECT * FROM (SELECT row_number() OVER (ORDER BY ${order}) AS place, ${keys}
                   FROM (SELECT * ${page}) AS listed) AS placed
    WHERE place IN (1, ${limit}, ${limit + 1}) ORDER BY place`;
  return { text, values: parameters.values };
}

/** How many there are in all. */
export function selectCount(listing: Listing, source: Source): Statement {
  const parameters = new Parameters();
  const rows = writeListed(listing, source, parameters);
  const having = writeCondition(listing.having, parameters);
  const beyond = writeBeyond(listing, parameters);
  const text = `
    SELECT count(*) AS total, count(*) FILTER (WHERE ${beyond}) AS beyond
    FROM (${rows}) AS listed WHERE ${having}`;
  return { text, values: parameters.values };
}

/** One of the rows that `selectEdges` finds. */
export type Edge = Record<string, Value | null> & { place: string };

/** What leads from a page to the next and to the one before, as words for `after`. */
export function findNeighbours(
  listing: Listing,
  edges: Edge[],
): { next?: string; previous?: string } {
  const cursorAt = (place: number, isBackward: boolean) => {
    const edge = edges.find((row) => Number(row.place) === place);
    return edge && printCursor(cursorOf(listing, edge, isBackward), listing.fingerprint);
  };
  const limit = listing.limit ?? 0;
  const isBackward = listing.after?.isBackward ?? false;
  const isFollowed = edges.some(({ place }) => Number(place) === limit + 1);
  const onward = isFollowed ? cursorAt(limit, isBackward) : undefined;
  const back = listing.after ? cursorAt(1, !isBackward) : undefined;
  return isBackward ? { next: back, previous: onward } : { next: onward, previous: back };
}

function cursorOf({ order }: Listing, edge: Edge, isBackward: boolean): Cursor {
  const values = order.map(({ column }, index) => {
    const value = edge[`key${index}`] ?? null;
    return value === null || column.kind === 'text' ? value : Number(value);
  });
  return { values, isBackward };
}

/** The rows of one page, in the order in which they are read, which is backwards from some cursors. */
function writePage(
  listing: Listing,
  source: Source,
  parameters: Parameters,
  limit?: number,
): string {
  const rows = writeListed(listing, source, parameters);
  const having = writeCondition(listing.having, parameters);
  const beyond = writeBeyond(listing, parameters);
  const bounds = [
    limit === undefined ? '' : ` LIMIT ${limit}`,
    listing.offset ? ` OFFSET ${listing.offset}` : '',
  ];
  const order = writeOrder(readingOrder(listing));
  const sorted = order && ` ORDER BY ${order}`;
  return `FROM (${rows}) AS listed WHERE ${having} AND ${beyond}${sorted}${bounds.join('')}`;
}

function readingOrder({ order, after }: Listing) {
  return after?.isBackward ? reverse(order) : order;
}

function writeBeyond(listing: Listing, parameters: Parameters): string {
  const { after } = listing;
  return after ? writeAfter(readingOrder(listing), after.values, parameters) : 'true';
}

/** What the list is of, with all that it may be sorted by. */
function writeListed(listing: Listing, source: Source, parameters: Parameters): string {
  const found = source.search?.isFound(parameters) ?? 'true';
  const where = `WHERE ${found} AND ${writeCondition(listing.where, parameters)}`;
  const { isGrouped, outputs } = listing;
  if (!isGrouped) {
    const relevance = source.search?.relevance(parameters);
    const also = relevance ? `, ${relevance} AS ${quoteName(RELEVANCE.name)}` : '';
    return `SELECT source.*${also} FROM ${source.relation} AS source ${where}`;
  }
  const groups = outputs.flatMap(({ aggregate }, index) => (aggregate ? [] : [index + 1]));
  const by = groups.length ? ` GROUP BY ${groups.join(', ')}` : '';
  return `SELECT ${outputs.map(writeOutput).join(', ')} FROM ${source.relation} AS source ${where}${by}`;
}
