import type { QueryColumn } from './columns.js';
import { printItems, type Group } from './conditions.js';
import { fingerprint, parseCursor, type Cursor } from './cursor.js';
import { ascending, parseOrder, printOrder, type OrderTerm } from './order.js';
import { asOutput, columnOf, parseSelect, type Output } from './outputs.js';
import {
  GROUP_NAMES,
  ParameterReader,
  readCount,
  readSearch,
  type QueryParameters,
} from './parameters.js';

/** What is asked of a list. */
export interface Listing {
  where: Group;
  /** Words to search for. */
  search?: string;
  outputs: Output[];
  /** Whether the outputs are made of many rows each. */
  isGrouped: boolean;
  having: Group;
  /** No two rows are equal in it. */
  order: OrderTerm[];
  limit?: number;
  offset: number;
  after?: Cursor;
  /** The same for all pages of one list: what a cursor is bound to. */
  fingerprint: string;
}

/** What can be asked about. */
export interface Askable {
  columns: QueryColumn[];
  /** No two rows have the same of it. */
  unique: QueryColumn;
  /** How rows are sorted where the question does not say. */
  order?: OrderTerm[];
}

/** How well a row fits the words that were searched for; it can be sorted by, and is not shown. */
export const RELEVANCE: QueryColumn = { name: 'relevance', kind: 'decimal' };

const LARGEST_LIMIT = 2_147_483_647;
const LARGEST_OFFSET = 1_000_000_000_000;
const ONCE = ['select', 'order', 'limit', 'offset', 'after', 'having', 'q'];

/**
 * Reads all that can be asked of a list; `others` are the parameters that somebody else reads.
 * @throws {QueryRefused} with all that is wrong.
 */
export function readListing(
  parameters: QueryParameters,
  askable: Askable,
  others: string[] = [],
): Listing {
  const reader = new ParameterReader(parameters);
  const where = reader.readWhere(askable.columns);
  const search = reader.readOnce('q', readSearch);
  const selection = readSelection(reader, askable, search !== undefined);
  const order = readOrder(reader, selection);
  const list = fingerprint([
    printItems(where),
    search,
    selection.isGrouped && selection.outputs,
    printItems(selection.having),
    printOrder(order),
  ]);
  const page = readPage(reader, list, order);
  const names = askable.columns.map(({ name }) => name).concat(GROUP_NAMES, ONCE, others);
  reader.refuseOthers(names);
  const { outputs, isGrouped, having } = selection;
  return { where, search, outputs, isGrouped, having, order, ...page, fingerprint: list };
}

/** What is shown, and what it can be sorted by. */
interface Selection extends Pick<Listing, 'outputs' | 'isGrouped' | 'having'> {
  orderable: QueryColumn[];
  unique: QueryColumn[];
  usualOrder: OrderTerm[];
}

function readSelection(
  reader: ParameterReader,
  { columns, unique, order = [] }: Askable,
  isSearch: boolean,
): Selection {
  const outputs =
    reader.readOnce('select', (text) => parseSelect(text, columns)) ?? columns.map(asOutput);
  const isGrouped = outputs.some(({ aggregate }) => aggregate);
  const shown = outputs.map(columnOf);
  const having = reader.readHaving(isGrouped ? shown : undefined);
  const common = { outputs, isGrouped, having };
  if (isGrouped) {
    const groups = outputs.filter(({ aggregate }) => !aggregate).map(columnOf);
    return { ...common, orderable: shown, unique: groups, usualOrder: [] };
  }
  const orderable = isSearch ? [...columns, RELEVANCE] : columns;
  const usualOrder = isSearch ? [BEST_FIRST] : order;
  return { ...common, orderable, unique: [unique], usualOrder };
}

function readOrder(
  reader: ParameterReader,
  { orderable, unique, usualOrder }: Selection,
): OrderTerm[] {
  const wished = reader.readOnce('order', (text) => parseOrder(text, orderable)) ?? usualOrder;
  const named = new Set(wished.map(({ column }) => column.name));
  return [...wished, ...unique.filter(({ name }) => !named.has(name)).map(ascending)];
}

function readPage(reader: ParameterReader, list: string, order: OrderTerm[]) {
  const limit = reader.readOnce('limit', (text) => readCount(text, LARGEST_LIMIT));
  const offset = reader.readOnce('offset', (text) => readCount(text, LARGEST_OFFSET));
  const after = reader.readOnce('after', (text) => parseCursor(text, list, order));
  if (after && offset !== undefined) reader.refuse('offset', 'cannot stand beside after');
  return { limit, offset: offset ?? 0, after };
}

const BEST_FIRST: OrderTerm = { column: RELEVANCE, isDescending: true, isNullsFirst: false };
