import type { QueryColumn } from './columns.js';
import { serializeMembers, type Group } from './conditions.js';
import { decodeCursor, listFingerprint, type Cursor } from './cursor.js';
import { ascending, parseOrder, serializeOrder, type OrderTerm } from './order.js';
import {
  GROUP_NAMES,
  ParameterReader,
  parseCount,
  parseSearch,
  type QueryParameters,
} from './parameters.js';
import { outputColumnOf, parseSelect, toSelectItem, type SelectItem } from './select.js';

/** A parsed query for a list. */
export interface ListQuery {
  where: Group;
  /** The words of `q=`. */
  search?: string;
  select: SelectItem[];
  /** Whether rows are aggregated. */
  isGrouped: boolean;
  having: Group;
  /** A total order: no two rows are equal in it. */
  order: OrderTerm[];
  limit?: number;
  offset: number;
  after?: Cursor;
  /** The same for all pages of one list. */
  fingerprint: string;
}

/** What lists of a resource can be filtered by, sorted by and made of. */
export interface QueryableResource {
  columns: QueryColumn[];
  /** Columns that are selected by their name only, and not filtered by. */
  hidden?: QueryColumn[];
  /** A column without two equal values. */
  unique: QueryColumn;
  /** The default order. */
  order?: OrderTerm[];
}

/** How well a row matches the words of `q=`. Lists can be sorted by it; it is not shown. */
export const RELEVANCE: QueryColumn = { name: 'relevance', type: 'decimal' };

const MAX_LIMIT = 2_147_483_647;
const MAX_OFFSET = 1_000_000_000_000;
const SINGLE_PARAMETERS = ['select', 'order', 'limit', 'offset', 'after', 'having', 'q'];

/**
 * Parses the query parameters of a list. `otherNames` are parameters that the caller parses.
 * @throws {InvalidQueryError} with all issues.
 */
export function parseListQuery(
  parameters: QueryParameters,
  resource: QueryableResource,
  otherNames: string[] = [],
): ListQuery {
  const reader = new ParameterReader(parameters);
  const where = reader.readWhere(resource.columns);
  const search = reader.readSingle('q', parseSearch);
  const selection = readSelection(reader, resource, search !== undefined);
  const order = readOrder(reader, selection);
  const fingerprint = listFingerprint([
    serializeMembers(where),
    search,
    selection.isGrouped && selection.select,
    serializeMembers(selection.having),
    serializeOrder(order),
  ]);
  const page = readPage(reader, fingerprint, order);
  reader.finish(resource.columns, [...GROUP_NAMES, ...SINGLE_PARAMETERS, ...otherNames]);
  const { select, isGrouped, having } = selection;
  return { where, search, select, isGrouped, having, order, ...page, fingerprint };
}

/** What is selected, and what it can be sorted by. */
interface Selection extends Pick<ListQuery, 'select' | 'isGrouped' | 'having'> {
  sortable: QueryColumn[];
  /** The columns that make every order total. */
  unique: QueryColumn[];
  defaultOrder: OrderTerm[];
}

function readSelection(
  reader: ParameterReader,
  { columns, hidden = [], unique, order = [] }: QueryableResource,
  isSearch: boolean,
): Selection {
  const select =
    reader.readSingle('select', (text) => parseSelect(text, columns, hidden)) ??
    columns.map(toSelectItem);
  const isGrouped = select.some(({ aggregate }) => aggregate);
  const outputs = select.map(outputColumnOf);
  const having = reader.readHaving(isGrouped ? outputs : undefined);
  const common = { select, isGrouped, having };
  if (isGrouped) {
    const groups = select.filter(({ aggregate }) => !aggregate).map(outputColumnOf);
    return { ...common, sortable: outputs, unique: groups, defaultOrder: [] };
  }
  const sortable = isSearch ? [...columns, RELEVANCE] : columns;
  const defaultOrder = isSearch ? [BEST_MATCH_FIRST] : order;
  return { ...common, sortable, unique: [unique], defaultOrder };
}

function readOrder(
  reader: ParameterReader,
  { sortable, unique, defaultOrder }: Selection,
): OrderTerm[] {
  const requested = reader.readSingle('order', (text) => parseOrder(text, sortable));
  const terms = requested ?? defaultOrder;
  const names = new Set(terms.map(({ column }) => column.name));
  return [...terms, ...unique.filter(({ name }) => !names.has(name)).map(ascending)];
}

function readPage(reader: ParameterReader, fingerprint: string, order: OrderTerm[]) {
  const limit = reader.readSingle('limit', (text) => parseCount(text, MAX_LIMIT));
  const offset = reader.readSingle('offset', (text) => parseCount(text, MAX_OFFSET));
  const after = reader.readSingle('after', (text) => decodeCursor(text, fingerprint, order));
  if (after && offset !== undefined) reader.addIssue('offset', 'cannot be combined with after');
  return { limit, offset: offset ?? 0, after };
}

const BEST_MATCH_FIRST: OrderTerm = {
  column: RELEVANCE,
  isDescending: true,
  isNullsFirst: false,
};
