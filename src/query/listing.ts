import { didYouMean } from '../did-you-mean.js';
import type { QueryColumn } from './columns.js';
import { parseFilter, parseGroup, parseList, printItems, type Group } from './conditions.js';
import { fingerprint, parseCursor, type Cursor } from './cursor.js';
import { ascending, parseOrder, printOrder, type OrderTerm } from './order.js';
import { asOutput, columnOf, parseSelect, type Output } from './outputs.js';
import { Misread, QueryRefused, type QueryFault } from './refusal.js';

/** Query parameters as they came: more than one value where a name was sent more than once. */
export type QueryParameters = Record<string, string | string[] | undefined>;

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

const GROUPS: Record<string, Pick<Group, 'is' | 'isNot'>> = {
  and: { is: 'all', isNot: false },
  or: { is: 'any', isNot: false },
  'not.and': { is: 'all', isNot: true },
  'not.or': { is: 'any', isNot: true },
};
/** The parameters that put conditions together. */
export const GROUP_NAMES = Object.keys(GROUPS);
const ONCE = ['select', 'order', 'limit', 'offset', 'after', 'having', 'q'];
const [LARGEST_LIMIT, LARGEST_OFFSET, LONGEST_SEARCH] = [2_147_483_647, 1_000_000_000_000, 200];

/**
 * Reads all that can be asked of a list; `others` are the parameters that somebody else reads.
 * @throws {QueryRefused} with all that is wrong.
 */
export function readListing(
  parameters: QueryParameters,
  { columns, ...askable }: Askable,
  others: string[] = [],
): Listing {
  const reader = new Reader(parameters);
  const where = reader.readWhere(columns);
  const search = reader.readOnce('q', readSearch);
  const all = columns.map(asOutput);
  const outputs = reader.readOnce('select', (text) => parseSelect(text, columns)) ?? all;
  const isGrouped = outputs.some(({ aggregate }) => aggregate);
  const shown = outputs.map(columnOf);
  const having = reader.readHaving(isGrouped ? shown : undefined);
  const orderable = isGrouped ? shown : search === undefined ? columns : [...columns, RELEVANCE];
  const unique = isGrouped
    ? outputs.filter(({ aggregate }) => !aggregate).map(columnOf)
    : [askable.unique];
  const usual = isGrouped ? [] : search === undefined ? (askable.order ?? []) : [BEST_FIRST];
  const wished = reader.readOnce('order', (text) => parseOrder(text, orderable)) ?? usual;
  const order = complete(wished, unique);
  const list = fingerprint([
    printItems(where),
    search,
    isGrouped && outputs,
    printItems(having),
    printOrder(order),
  ]);
  const limit = reader.readOnce('limit', (text) => readCount(text, LARGEST_LIMIT));
  const offset = reader.readOnce('offset', (text) => readCount(text, LARGEST_OFFSET));
  const after = reader.readOnce('after', (text) => parseCursor(text, list, order));
  if (after && offset !== undefined) reader.refuse('offset', 'cannot stand beside after');
  const names = columns.map(({ name }) => name).concat(GROUP_NAMES, ONCE, others);
  reader.refuseOthers(names);
  return {
    where,
    search,
    outputs,
    isGrouped,
    having,
    order,
    limit,
    offset: offset ?? 0,
    after,
    fingerprint: list,
  };
}

const BEST_FIRST: OrderTerm = { column: RELEVANCE, isDescending: true, isNullsFirst: false };

function complete(order: OrderTerm[], unique: QueryColumn[]): OrderTerm[] {
  const named = new Set(order.map(({ column }) => column.name));
  return [...order, ...unique.filter(({ name }) => !named.has(name)).map(ascending)];
}

/** Reads parameters one by one, and keeps what is wrong with each. */
class Reader {
  private readonly faults: QueryFault[] = [];

  constructor(private readonly parameters: QueryParameters) {}

  readWhere(columns: QueryColumn[]): Group {
    const filters = columns.flatMap((column) =>
      this.read(column.name, (text) => parseFilter(column, text)),
    );
    const groups = Object.entries(GROUPS).flatMap(([name, { is, isNot }]) =>
      this.read(name, (text) => ({ ...parseGroup(is, text, columns), isNot })),
    );
    return { is: 'all', isNot: false, of: [...filters, ...groups] };
  }

  /** `columns` is undefined where nothing is grouped. */
  readHaving(columns: QueryColumn[] | undefined): Group {
    if (!columns && this.parameters.having !== undefined) {
      this.refuse('having', 'is about aggregates: select some, as in select=city,n:count()');
    }
    const groups = columns ? this.read('having', (text) => parseList(text, columns)) : [];
    return { is: 'all', isNot: false, of: groups.flatMap(({ of }) => of) };
  }

  readOnce<T>(name: string, parse: (text: string) => T): T | undefined {
    const read = this.read(name, parse);
    if (read.length > 1) this.refuse(name, 'can be given once');
    return read[0];
  }

  refuse(parameter: string, detail: string): void {
    this.faults.push({ parameter, detail });
  }

  /** To be called last. */
  refuseOthers(known: string[]): void {
    for (const name of Object.keys(this.parameters)) {
      if (!known.includes(name)) this.refuse(name, `is not known: ${didYouMean(name, known)}`);
    }
    if (this.faults.length) throw new QueryRefused(this.faults);
  }

  private read<T>(name: string, parse: (text: string) => T): T[] {
    return [this.parameters[name] ?? []].flat().flatMap((text) => {
      try {
        return [parse(text)];
      } catch (error) {
        if (!(error instanceof Misread)) throw error;
        const position = error.at === undefined ? undefined : error.at + 1;
        this.faults.push({ parameter: name, detail: error.message, position });
        return [];
      }
    });
  }
}

function readSearch(text: string): string {
  const words = text.trim();
  if (!words) throw new Misread('needs a word to search for, as in q=boston');
  if (words.includes('\0')) throw new Misread('must not contain a NUL character');
  if (words.length > LONGEST_SEARCH) {
    throw new Misread(`must have at most ${LONGEST_SEARCH} characters, and has ${words.length}`);
  }
  return words;
}

function readCount(text: string, most: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (count <= most) return count;
  throw new Misread(`must be a whole number from 0 to ${most}`);
}
