import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import type { MarathonResponse } from '../src/marathon/marathon.dto.js';
import { MARATHONS } from '../src/marathon/marathon.lists.js';
import { readArrayLiteral } from '../src/query/array-literal.js';
import { serializeMembers } from '../src/query/conditions.js';
import { ParseError } from '../src/query/errors.js';
import { Scanner } from '../src/query/scanner.js';
import { startApp, type RunningApp } from './support/app.js';
import { conditions, holds } from './support/conditions.js';
import { store } from './support/store.js';

const [ID, NAME, CITY, YEAR] = MARATHONS.columns as [never, never, never, never];
/** Every collation sorts these as JavaScript does. */
const WORDS = ['a', 'ab', 'abc', 'b', 'ba', 'c', 'cab'];
const ROWS = Array.from({ length: 60 }, (_, index) => ({
  name: WORDS[index % 7]!,
  city: index % 4 ? WORDS[(index * 3) % 7]! : null,
  inception_year: index % 5 ? 1900 + (index % 6) : null,
}));

/** FUZZED_URLS=100000 sends more. */
const URLS = Number(process.env.FUZZED_URLS ?? 1500);

describe('any list query', () => {
  let running: RunningApp;
  let url: string;
  let marathons: MarathonResponse[];
  beforeAll(async () => {
    running = await startApp();
    url = await running.app.getUrl();
    await store(running, ROWS);
    marathons = (await list('')).marathon_list;
  });
  afterAll(async () => running.close());

  const get = async (query: string) => fetch(`${url}/marathon/?${query}`);
  const list = async (query: string) =>
    (await (await get(query)).json()) as { marathon_list: MarathonResponse[] };

  it('finds the rows that satisfy its conditions', async () => {
    const words = fc.constantFrom(...WORDS);
    const anyCondition = conditions([
      { column: ID, values: fc.integer({ min: 0, max: 70 }) },
      { column: NAME, values: words },
      { column: CITY, values: words },
      { column: YEAR, values: fc.integer({ min: 1899, max: 1906 }) },
    ]);
    await fc.assert(
      fc.asyncProperty(anyCondition, async (group) => {
        const parameter = `${group.negated ? 'not.' : ''}${group.kind}`;
        const found = await list(`${parameter}=${encodeURIComponent(serializeMembers(group))}`);
        const expected = marathons.filter((row) => holds(group, { ...row }) === true);
        expect(found.marathon_list).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('reads arrays as PostgreSQL does', async () => {
    const dataSource = running.app.get(DataSource);
    const pieces = fc.constantFrom(
      'a',
      'b c',
      ' ',
      ',',
      '"',
      '\\',
      'NULL',
      'null',
      '\t',
      '\n',
      'é',
      '',
    );
    const literal = fc.array(pieces, { maxLength: 8 }).map((words) => `{${words.join('')}}`);
    await fc.assert(
      fc.asyncProperty(literal, async (text) => {
        const [expected] = await dataSource
          .query('SELECT $1::text[] AS elements', [text])
          .catch(() => []);
        expect(readElements(text)).toEqual(expected?.elements);
      }),
      { numRuns: 500 },
    );
  });

  it('pages through every row once, in any order, with nulls', async () => {
    const term = fc
      .tuple(fc.constantFrom('', '.asc', '.desc'), fc.constantFrom('', '.nullsfirst', '.nullslast'))
      .map((words) => words.join(''));
    const names = fc.shuffledSubarray(['id', 'name', 'city', 'inception_year']);
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.array(term, { minLength: 4 }),
        fc.integer({ min: 1, max: 61 }),
        async (columns, words, limit) => {
          const terms = columns.map((name, index) => `${name}${words[index]}`);
          const order = terms.length ? `order=${terms.join(',')}` : '';
          const walked: MarathonResponse[] = [];
          for (let path: string | undefined = `/marathon/?${order}&limit=${limit}`; path;) {
            const answer: Response = await fetch(`${url}${path}`);
            walked.push(...((await answer.json()) as typeof EMPTY).marathon_list);
            path = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link')!)?.[1];
          }
          expect(walked).toEqual((await list(order)).marathon_list);
          expect(walked).toHaveLength(ROWS.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is answered or rejected, but never with 500, and never as if it had no parameters', async () => {
    const names = [
      'city',
      'name',
      'inception_year',
      'id',
      'or',
      'and',
      'not.or',
      'select',
      'order',
      'limit',
      'offset',
      'after',
      'having',
      'q',
      'as_of',
      'format',
      'citty',
      'Limit',
    ];
    const pieces = [
      'eq.',
      'not.',
      'in.(',
      'is.',
      'null',
      'like.',
      'or(',
      'and(',
      ')',
      '(',
      ',',
      '.',
      '"',
      '\\',
      '*',
      '%',
      '_',
      'a',
      'name',
      'id',
      'count()',
      'n:',
      '.desc',
      '.nullslast',
      '1',
      '1900',
      '-1',
      '99999999999999999999',
      '2020-01-01T00:00:00Z',
      'csv',
      'é',
      '\0',
      '😀',
      ' ',
      '=',
      '&',
      "'",
      '$1',
      ';--',
      'WyJ4Il0',
    ];
    const value = fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 4 })), {
        maxLength: 8,
      })
      .map((words) => words.join(''));
    const parameter = fc
      .tuple(fc.constantFrom(...names), value, fc.boolean())
      .map(
        ([name, text, isRaw]) =>
          `${name}=${isRaw ? text.replaceAll(/[^ -~]| |#/g, '') : encodeURIComponent(text.toWellFormed())}`,
      );
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 4 }), async (parameters) => {
        const query = parameters.join('&');
        const answer = await get(query);
        const text = await answer.text();
        expect([200, 206, 400, 406, 416]).toContain(answer.status);
        if (/(^|&)(citty|Limit)=/.test(query)) expect(answer.status).toBe(400);
        if (answer.status === 400) expect(JSON.parse(text).detail).not.toBe('');
      }),
      { numRuns: URLS },
    );
  });
});

/** Undefined if the text is no array. */
function readElements(text: string): (string | null)[] | undefined {
  const scanner = new Scanner(text);
  try {
    const elements = readArrayLiteral(scanner).map((element) => element.text);
    return scanner.isAtEnd ? elements : undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
    return undefined;
  }
}

const EMPTY = { marathon_list: [] as MarathonResponse[] };
