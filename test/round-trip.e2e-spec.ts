import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';
import { emptyRegistry } from './support/store.js';

const NAMES = [
  'Boston Marathon',
  'Paris, by night',
  'Semicolons; and | bars\tand tabs',
  'The "Great" Run',
  'Two\nlines',
  'Three\r\nlines\r',
  '🏃‍♀️ Marathon 42.195',
  'ماراثون دبي',
  'מרתון ירושלים',
  'NULL',
  'null',
  'a,NULL,b',
  'NULL\nNULL',
  '"NULL"',
  '42',
  '1990.0',
  '=1+1',
  '-cmd|calc',
  '+49',
  '@SUM(A1)',
  String.raw`\.`,
  String.raw`\N`,
  String.raw`back\slash`,
  "O'Neill",
  '#comment',
  'sep=;',
  'é',
  'e\u{301}',
  '\u{feff}inside\u{feff}x',
];
const CITIES = ['', null, 'NULL', 'Zürich', ...NAMES.filter((name) => name.length < 50)];
const FORMATS = [
  ['csv', 'text/csv'],
  ['ndjson', 'application/x-ndjson'],
  ['json', 'application/json'],
  ['array', 'application/json'],
] as const;

describe('an export', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => {
    await emptyRegistry(running);
    const rows = CITIES.flatMap((city) =>
      NAMES.map((name, index) => ({ name, city, inception_year: index % 2 ? null : 1900 + index })),
    );
    await running.http.post('/marathon/').send(rows).expect(201);
    await running.http.delete('/marathon/?id=in.(1,5,6)').expect(200);
  });

  const get = async (format: string, headers = {}): Promise<Buffer> => {
    const url = `${await running.app.getUrl()}/marathon/?format=${format}`;
    return Buffer.from(await (await fetch(url, { headers })).arrayBuffer());
  };

  it.each(FORMATS)('as %s, imported and exported again, is the same', async (format, type) => {
    const all = await Promise.all(FORMATS.map(async ([name]) => get(name)));
    const exported = await get(format);
    await emptyRegistry(running);
    const post = running.http.post('/marathon/').set('Content-Type', type);
    await post.send(exported.toString()).expect(201);
    const again = await Promise.all(FORMATS.map(async ([name]) => get(name)));
    expect(again.map(String)).toEqual(all.map(String));
    expect(again).toEqual(all);
  });

  it('has an apostrophe before formulas with Prefer: csv=safe', async () => {
    await emptyRegistry(running);
    const rows = ['=1+1', '+49', '-1', '@SUM(A1)', 'a=1', "'x", 'NULL', 'a,=b'].map((name) => ({
      name,
      inception_year: 1,
    }));
    await running.http.post('/marathon/').send(rows).expect(201);
    const { text, headers } = await running.http
      .get('/marathon/?select=name,city,y:inception_year::text&format=csv')
      .set('Prefer', 'csv=safe')
      .expect(200);
    expect(text).toBe(
      'name,city,y\n' +
        "'=1+1,,1\n'+49,,1\n'-1,,1\n'@SUM(A1),,1\na=1,,1\n'x,,1\n\"NULL\",,1\n\"a,=b\",,1\n",
    );
    expect(headers['preference-applied']).toBe('csv=safe');
    const plain = await running.http.get('/marathon/?format=csv&select=name&limit=1');
    expect(plain.text).toBe('name\n=1+1\n');
    expect(plain.headers.etag).not.toBe(headers.etag);
  });
});
