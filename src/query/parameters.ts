import type { QueryColumn } from './columns.js';
import type { Group } from './conditions.js';
import { InvalidQueryError, ParseError, type QueryIssue } from './errors.js';
import { parseFilter, parseGroup, parseList } from './parse-conditions.js';
import { suggest } from './suggest.js';

/** Query parameters as they were sent. A name that was sent repeatedly has several values. */
export type QueryParameters = Record<string, string | string[] | undefined>;

const GROUPS: Record<string, Pick<Group, 'kind' | 'negated'>> = {
  and: { kind: 'and', negated: false },
  or: { kind: 'or', negated: false },
  'not.and': { kind: 'and', negated: true },
  'not.or': { kind: 'or', negated: true },
};
/** The parameters that group conditions. */
export const GROUP_NAMES = Object.keys(GROUPS);
const MAX_SEARCH_LENGTH = 200;
/** The parameters of other services, and those that do the same here. */
const EQUIVALENTS: Record<string, string> = {
  sort: 'order',
  sort_by: 'order',
  order_by: 'order',
  orderby: 'order',
  page: 'limit and offset',
  per_page: 'limit',
  page_size: 'limit',
  size: 'limit',
  top: 'limit',
  skip: 'offset',
  start: 'offset',
  search: 'q',
  query: 'q',
  filter: 'a column as the parameter, with an operator, as in id=eq.1',
  where: 'a column as the parameter, with an operator, as in id=eq.1',
  fields: 'select',
  columns: 'select',
  group_by: 'select with an aggregate, as in select=name,count()',
  count: 'the header Prefer: count=exact',
};

/** Parses parameters one by one and collects the issues of all of them. */
export class ParameterReader {
  private readonly issues: QueryIssue[] = [];

  constructor(private readonly parameters: QueryParameters) {}

  readWhere(columns: QueryColumn[]): Group {
    const filters = columns.flatMap((column) =>
      namesOf(column).flatMap((name) => this.readAll(name, (text) => parseFilter(column, text))),
    );
    const groups = Object.entries(GROUPS).flatMap(([name, { kind, negated }]) =>
      this.readAll(name, (text) => ({ ...parseGroup(kind, text, columns), negated })),
    );
    return { kind: 'and', negated: false, conditions: [...filters, ...groups] };
  }

  /** `columns` is undefined if nothing is aggregated. */
  readHaving(columns: QueryColumn[] | undefined): Group {
    if (!columns && this.parameters.having !== undefined) {
      this.addIssue('having', 'filters aggregates: select one, as in select=n:count()');
    }
    const groups = columns ? this.readAll('having', (text) => parseList(text, columns)) : [];
    const conditions = groups.flatMap((group) => group.conditions);
    return { kind: 'and', negated: false, conditions };
  }

  readSingle<T>(name: string, parse: (text: string) => T): T | undefined {
    const values = this.readAll(name, parse);
    if (values.length > 1) this.addIssue(name, 'can be sent once only');
    return values[0];
  }

  addIssue(parameter: string, detail: string): void {
    this.issues.push({ parameter, detail });
  }

  /**
   * Rejects the parameters that are neither columns nor `others`. Call it last.
   * @throws {InvalidQueryError} with all issues.
   */
  finish(columns: QueryColumn[], others: string[]): void {
    const allowed = [...columns.map(({ name }) => name), ...others];
    const known = new Set([...columns.flatMap(namesOf), ...others]);
    for (const name of Object.keys(this.parameters)) {
      if (!known.has(name)) this.addIssue(name, `is not known: ${advise(name, allowed)}`);
    }
    if (this.issues.length) throw new InvalidQueryError(this.issues);
  }

  private readAll<T>(name: string, parse: (text: string) => T): T[] {
    return [this.parameters[name] ?? []].flat().flatMap((text) => {
      try {
        return [parse(text)];
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
        const position = error.index === undefined ? undefined : error.index + 1;
        this.issues.push({ parameter: name, detail: error.message, position });
        return [];
      }
    });
  }
}

/** The parameters of a column: its name, with or without quotes. */
function namesOf({ name }: QueryColumn): string[] {
  return [name, `"${name}"`];
}

function advise(name: string, allowed: string[]): string {
  const word = name.replaceAll(/^"|"$/g, '');
  const key = word.toLowerCase().replaceAll('-', '_');
  const equivalent = Object.hasOwn(EQUIVALENTS, key) ? EQUIVALENTS[key] : undefined;
  return equivalent ? `use ${equivalent}` : suggest(word, allowed);
}

/** Parses `q=`. */
export function parseSearch(text: string): string {
  const words = text.trim();
  if (!words) throw new ParseError('needs a word to search for, as in q=word');
  if (words.includes('\0')) throw new ParseError('must not contain a NUL character');
  if (words.length <= MAX_SEARCH_LENGTH) return words;
  throw new ParseError(
    `must have at most ${MAX_SEARCH_LENGTH} characters, and has ${words.length}`,
  );
}

/** Parses a number of rows. */
export function parseCount(text: string, max: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (count <= max) return count;
  throw new ParseError(`must be a whole number from 0 to ${max}`);
}
