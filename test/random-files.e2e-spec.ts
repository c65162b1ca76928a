import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startApp, type RunningApp } from './support/app.js';

/** RANDOM_FILES=100000 sends more. */
const FILES = Number(process.env.RANDOM_FILES ?? 500);

const CSV_PIECES = [
  'name',
  'Name ',
  'city',
  'inception_year',
  'id',
  'Host city',
  'Boston',
  '1897',
  '1990.0',
  '-1',
  '99999999999999999999',
  'NULL',
  'é',
  '😀',
  ',',
  ';',
  '\t',
  '|',
  '"',
  '""',
  '\n',
  '\r\n',
  '\r',
  ' ',
  '\\',
  '\\.',
  '\0',
  'sep=;\n',
  '\u{feff}',
  '\u{a0}',
];
const JSON_PIECES = [
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '"name":"x"',
  '"city":null',
  '"inception_year":1897',
  '"id":7',
  '{"name":"x"}',
  '{"marathon_list":[',
  '{"type":"FeatureCollection","features":[',
  '"',
  '\\',
  '\\u0000',
  '\n',
  ' ',
  'null',
  '1e999',
  '"__proto__":1',
];
const CHARSETS = [
  '',
  '; charset=utf-8',
  '; charset=utf-16le',
  '; charset=windows-1252',
  '; charset=shift_jis',
];
const QUERIES = [
  '',
  'columns=name',
  'columns=name:Boston,city:"Host city"',
  'null=x',
  'on_conflict=id',
];

describe('any file', () => {
  let running: RunningApp;
  let url: string;
  beforeAll(async () => {
    running = await startApp();
    url = `${await running.app.getUrl()}/marathon/`;
  });
  afterAll(async () => running.close());

  it('is imported, or rejected with the reason and the line', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const csv = piecesOf(CSV_PIECES, 'name,city\n');
    const json = piecesOf(JSON_PIECES, '[');
    const encoded = fc
      .tuple(csv, fc.constantFrom('utf8', 'latin1', 'utf16le'))
      .map(([text, encoding]) => Buffer.from(text.toString(), encoding as BufferEncoding));
    const file = fc.oneof(
      fc.tuple(fc.constant('text/csv'), fc.oneof(bytes, csv, encoded)),
      fc.tuple(fc.constantFrom('application/json', 'application/x-ndjson'), fc.oneof(bytes, json)),
    );
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.constantFrom(...CHARSETS),
        fc.constantFrom(...QUERIES),
        async ([type, body], charset, query) => {
          const isUpsert = query.startsWith('on_conflict');
          const response = await fetch(`${url}?${query}`, {
            method: 'POST',
            headers: {
              'Content-Type': type + (type === 'text/csv' ? charset : ''),
              Prefer: `tx=rollback${isUpsert ? ', resolution=merge-duplicates' : ''}`,
            },
            body: new Uint8Array(body),
          });
          const { detail, code, errors } = (await response.json()) as Problem;
          expect([201, 400, 409]).toContain(response.status);
          if (response.status !== 400) return;
          expect(detail).not.toBe('');
          if (code === 'invalid_rows') {
            expect(errors!.length).toBeGreaterThan(0);
            for (const error of errors!) {
              expect(error).toEqual({
                line: expect.any(Number),
                pointer: expect.stringMatching(/^#/),
                detail: expect.stringMatching(/./),
              });
            }
          }
        },
      ),
      { numRuns: FILES },
    );
  });
});

interface Problem {
  detail: string;
  code: string;
  errors?: object[];
}

/** Random pieces, often after a valid start. */
function piecesOf(pieces: string[], start: string): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom('', start), fc.array(fc.constantFrom(...pieces), { maxLength: 14 }))
    .map(([head, words]) => Buffer.from(head + words.join('')));
}
