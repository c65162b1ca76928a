import { didYouMean } from '../did-you-mean.js';
import type { QueryColumn } from './columns.js';
import type { Group } from './conditions.js';
import { parseFilter, parseGroup, parseList } from './parse-conditions.js';
import { Misread, QueryRefused, type QueryFault } from './refusal.js';

/** Query parameters as they came: more than one value where a name was sent more than once. */
export type QueryParameters = Record<string, string | string[] | undefined>;

const GROUPS: Record<string, Pick<Group, 'is' | 'isNot'>> = {
  and: { is: 'all', isNot: false },
  or: { is: 'any', isNot: false },
  'not.and': { is: 'all', isNot: true },
  'not.or': { is: 'any', isNot: true },
};
/** The parameters that put conditions together. */
export const GROUP_NAMES = Object.keys(GROUPS);
const LONGEST_SEARCH = 200;

/** Reads parameters one by one, and keeps what is wrong with each. */
export class ParameterReader {
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

/** What to search for. */
export function readSearch(text: string): string {
  const words = text.trim();
  if (!words) throw new Misread('needs a word to search for, as in q=boston');
  if (words.includes('\0')) throw new Misread('must not contain a NUL character');
  if (words.length > LONGEST_SEARCH) {
    throw new Misread(`must have at most ${LONGEST_SEARCH} characters, and has ${words.length}`);
  }
  return words;
}

/** How many rows. */
export function readCount(text: string, most: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (count <= most) return count;
  throw new Misread(`must be a whole number from 0 to ${most}`);
}
