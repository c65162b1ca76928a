import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked } from './support/database.js';

const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';

type Row = [name: string | null, city?: string | null, inception_year?: number | null];

describe('a bulk import', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  beforeEach(async () => void (await running.database.query('DELETE FROM marathon')));
  afterAll(async () => running.close());

  const send = (type: string, body: string | Buffer, query = '') =>
    running.http.post(`/marathon/${query}`).set('Content-Type', type).send(body);
  const upsert = (resolution: string, text: string, type = CSV) =>
    send(type, text, '?on_conflict=name,city').set('Prefer', `resolution=${resolution}`);
  const rows = async (): Promise<Row[]> => {
    const { body } = await running.http.get('/marathon/').expect(200);
    type Shown = { name: string; city: string | null; inception_year: number | null };
    return body.marathon_list.map(({ name, city, inception_year }: Shown) => [
      name,
      city,
      inception_year,
    ]);
  };
  const lastSeq = async () =>
    Number((await running.http.get('/marathon/')).headers.etag?.slice(1, -1));

  it.each([
    [CSV, 'name,city,inception_year\nBoston,Boston,1897\n東京,,\n'],
    [NDJSON, '{"name":"Boston","city":"Boston","inception_year":1897}\n{"name":"東京"}\n'],
    [JSON_TYPE, '[{"name":"Boston","city":"Boston","inception_year":1897},{"name":" 東京 "}]'],
  ])('stores %s, with a journal entry for each row', async (type, body) => {
    const seq = await lastSeq();
    const answer = await send(type, body).expect(201);
    expect(answer.body).toEqual({ inserted: 2, updated: 0, skipped: 0 });
    expect(await rows()).toEqual([
      ['Boston', 'Boston', 1897],
      ['東京', null, null],
    ]);
    const { changes } = (await running.http.get(`/marathon/changes?since=${seq}`)).body;
    expect(changes).toMatchObject([
      { seq: seq + 1, operation: 'create', version: 1, marathon: { name: 'Boston' } },
      { seq: seq + 2, operation: 'create', version: 1, marathon: { name: '東京' } },
    ]);
    const { body: list } = await running.http.get('/marathon/');
    expect(changes.map(({ marathon }: { marathon: object }) => marathon)).toEqual(
      list.marathon_list,
    );
  });

  it.each([
    ['a byte order mark', '\u{feff}name,city\nBoston,Hopkinton\n'],
    ['Windows’ ends of line', 'name,city\r\nBoston,Hopkinton\r\n'],
    ['old ends of line', 'name,city\rBoston,Hopkinton\r'],
    ['no end of line at the end', 'name,city\nBoston,Hopkinton'],
    ['empty lines', 'name,city\n\n\nBoston,Hopkinton\n\n'],
    ['semicolons', 'name;city\nBoston;Hopkinton\n'],
    ['tabs', 'name\tcity\nBoston\tHopkinton\n'],
    ['quotes', '"name","city"\n"Boston","Hopkinton"\n'],
    ['blanks', 'name , city\n Boston ,\u{a0}Hopkinton\u{3000}\n'],
    ['another order of columns', 'city,name\nHopkinton,Boston\n'],
    ['an empty field in quotes', 'inception_year,city,name\n"",Hopkinton,Boston\n'],
  ])('accepts CSV with %s', async (_, text) => {
    await send(CSV, text).expect(201);
    expect(await rows()).toEqual([['Boston', 'Hopkinton', null]]);
  });

  it('keeps quotes, delimiters and line breaks in quoted fields', async () => {
    await send(CSV, 'name,city\n"the ""real"", one","a\r\nb"\n\\.,x\n').expect(201);
    expect(await rows()).toEqual([
      ['the "real", one', 'a\r\nb', null],
      [String.raw`\.`, 'x', null],
    ]);
  });

  it.each([
    ['UTF-16 without a mark', Buffer.from('name\nBoston\n', 'utf16le'), 'Save it as UTF-8'],
    ['an unknown column', 'name,town\nx,y\n', 'There is no column "town"'],
    ['a mistyped column', 'name,citi\nx,y\n', 'did you mean city?'],
    ['a column twice', 'name,name\nx,y\n', 'names name twice'],
    ['no name', 'city\nx\n', 'lacks the column name'],
    ['nothing at all', '', 'The file is empty'],
    ['a header alone', 'name,city\n', 'There are no rows'],
    [
      'a quote that swallows the rest',
      `name\n"${'x\n'.repeat(1_100_000)}`,
      'The row that begins at line 2',
    ],
  ])('rejects CSV with %s', async (_, body, detail) => {
    const answer = await send(CSV, body).expect(400);
    expect(answer.body.detail).toContain(detail);
    expect(await rows()).toEqual([]);
  });

  it.each([
    ['an array that never ends', '[{"name":"x"}', 'never ends'],
    ['something after the array', '[{"name":"x"}] x', 'Text follows the JSON array'],
    ['a wrong bracket at the end', '[{"name":"x"}}', 'not one well-formed JSON array'],
  ])('rejects JSON with %s', async (_, body, detail) => {
    const answer = await send(JSON_TYPE, body).expect(400);
    expect(answer.body.detail).toContain(detail);
  });

  it('reports every invalid row with line, member and reason, and stores none', async () => {
    const lines = [
      'name,city,inception_year',
      'Good,Boston,1897',
      ',Boston,1897',
      `${'x'.repeat(101)},Boston,10000`,
      'Good,Boston',
      '"\u{3000}",Boston,18x7',
      'a"b,Boston,1',
      `Good,${'é'.repeat(51)},1`,
      'Good,"never closed,1',
    ];
    const { body } = await send(CSV, lines.join('\n')).expect(400);
    expect(body).toMatchObject({
      rejected: 7,
      detail: '7 rows were rejected; nothing was stored.',
    });
    expect(body.errors).toEqual([
      { line: 3, pointer: '#/name', detail: 'must be text' },
      { line: 4, pointer: '#/name', detail: 'must have at most 100 characters, and has 101' },
      { line: 4, pointer: '#/inception_year', detail: expect.stringContaining('1 to 9999') },
      { line: 5, pointer: '#', detail: 'has 2 fields, and the header 3' },
      { line: 6, pointer: '#/name', detail: 'must not be blank' },
      { line: 6, pointer: '#/inception_year', detail: expect.stringContaining('1 to 9999') },
      { line: 7, pointer: '#', detail: expect.stringContaining('quote within a field') },
      { line: 8, pointer: '#/city', detail: 'must have at most 50 characters, and has 51' },
      { line: 9, pointer: '#', detail: 'has a quote that is never closed' },
    ]);
    expect(await rows()).toEqual([]);
  });

  it('reports pointers into a JSON array', async () => {
    const bad = [{ name: 'x' }, { nam: 'x' }, 7, null, { name: 'x', inception_year: '1' }];
    const { body } = await send(JSON_TYPE, JSON.stringify([...bad, { name: ' ' }])).expect(400);
    type Issue = { line: number; pointer: string };
    expect(body.errors.map(({ line, pointer }: Issue) => [line, pointer])).toEqual([
      [2, '#/1/name'],
      [2, '#/1/nam'],
      [3, '#/2'],
      [4, '#/3'],
      [5, '#/4/inception_year'],
      [6, '#/5/name'],
    ]);
  });

  it.each([
    ['a NUL', String.raw`{"name":"a\u0000b"}`],
    ['half a surrogate pair', String.raw`{"name":"\ud800"}`],
    ['no JSON', '{"name":}'],
    ['__proto__', '{"name":"x","__proto__":{}}'],
    ['a fraction', '{"name":"x","inception_year":1897.5}'],
    ['a huge number', '{"name":"x","inception_year":1e300}'],
  ])('rejects %s in a row of NDJSON', async (_, line) => {
    const { body } = await send(NDJSON, `{"name":"good"}\n${line}\n`).expect(400);
    expect(body).toMatchObject({ rejected: 1, errors: [{ line: 2 }] });
  });

  it('reports the first thousand invalid rows, and counts all', async () => {
    const { body } = await send(CSV, `name\n${'""\n'.repeat(1500)}`).expect(400);
    expect(body.rejected).toBe(1500);
    expect(body.errors).toHaveLength(1000);
    expect(body.errors.at(-1).line).toBe(1001);
  });

  describe('with existing names and cities', () => {
    beforeEach(async () => {
      await send(CSV, 'name,city,inception_year\nA,x,1\nA,,2\nA,x,3\nB,y,4\n').expect(201);
    });

    it('merges into the oldest of equal marathons, with the last of equal rows', async () => {
      const text = 'name,city,inception_year\nA,x,11\nA,x,12\nA,,2\nC,z,5\n';
      const { body, headers } = await upsert('merge-duplicates', text).expect(201);
      expect(headers['preference-applied']).toBe('resolution=merge-duplicates');
      expect(body).toEqual({ inserted: 1, updated: 1, skipped: 2 });
      expect(await rows()).toEqual([
        ['A', 'x', 12],
        ['A', null, 2],
        ['A', 'x', 3],
        ['B', 'y', 4],
        ['C', 'z', 5],
      ]);
    });

    it('skips duplicates, and uses the first of equal rows', async () => {
      const text = 'name,city,inception_year\nA,x,11\nC,z,5\nC,z,6\n';
      const { body } = await upsert('ignore-duplicates', text).expect(201);
      expect(body).toEqual({ inserted: 1, updated: 0, skipped: 2 });
      expect((await rows()).at(-1)).toEqual(['C', 'z', 5]);
    });

    it('keeps the columns that a row does not have', async () => {
      await upsert('merge-duplicates', 'name,city\nB,y\n').expect(201);
      const ndjson = '{"name":"A","city":"x"}\n{"name":"A","inception_year":null}\n';
      const { body } = await upsert('merge-duplicates', ndjson, NDJSON).expect(201);
      expect(body).toEqual({ inserted: 0, updated: 1, skipped: 1 });
      expect((await rows()).map(([, , year]) => year)).toEqual([1, null, 3, 4]);
    });

    it('accepts a single object', async () => {
      const { body } = await upsert('merge-duplicates', '{"name":"B","city":"y"}', JSON_TYPE);
      expect(body).toEqual({ inserted: 0, updated: 0, skipped: 1 });
    });

    it('requires Prefer: resolution with on_conflict', async () => {
      await send(CSV, 'name\nx\n', '?on_conflict=name,city').expect(400);
      const { body } = await upsert('merge', 'name\nx\n').expect(400);
      expect(body.detail).toContain('there are merge-duplicates, ignore-duplicates');
      await send(CSV, 'name\nx\n', '?on_conflict=name').expect(400);
    });
  });

  it('stores nothing as a dry run', async () => {
    const seq = await lastSeq();
    const { body, headers } = await send(CSV, 'name\nBoston\n').set('Prefer', 'tx=rollback');
    expect(body).toEqual({ inserted: 1, updated: 0, skipped: 0 });
    expect(headers['preference-applied']).toBe('tx=rollback');
    expect(await rows()).toEqual([]);
    expect(await lastSeq()).toBe(seq);
  });

  it('stores nothing if the client disconnects, and releases its connection', async () => {
    const url = new URL(`${await running.app.getUrl()}/marathon/`);
    const goAway = async () => {
      const upload = request(url, { method: 'POST', headers: { 'Content-Type': CSV } });
      upload.write('name\nBoston\n');
      await once(upload, 'socket');
      await running.http.get('/marathon/').expect(200);
      upload.on('error', () => undefined).destroy();
    };
    for (let times = 0; times < 12; times += 1) await goAway();
    await send(CSV, 'name\nBerlin\n').expect(201);
    expect(await rows()).toEqual([['Berlin', null, null]]);
  });

  it('does not block reads and writes while it is received', async () => {
    const url = new URL(`${await running.app.getUrl()}/marathon/`);
    const upload = request(url, { method: 'POST', headers: { 'Content-Type': CSV } });
    const answered = once(upload, 'response');
    upload.write('name\nBoston\n');
    await once(upload, 'socket');
    await running.http.post('/marathon/').send({ name: 'Berlin' }).expect(201);
    expect(await rows()).toEqual([['Berlin', null, null]]);
    upload.end('Chicago\n');
    const [answer] = (await answered) as [{ statusCode: number; resume: () => void }];
    answer.resume();
    expect(answer.statusCode).toBe(201);
    const stored = new Set((await rows()).map(([name]) => name));
    expect(stored).toEqual(new Set(['Berlin', 'Boston', 'Chicago']));
  });

  it('is repeated with later ids if one of its ids is taken', async () => {
    const names = Array.from({ length: 200_000 }, (_, index) => `Marathon number ${index}`);
    await running.database.query(`INSERT INTO marathon (id, name)
      SELECT last_value + 100000, 'Ahead' FROM marathon_id_seq`);
    await send(CSV, `name\n${names.join('\n')}\n`).expect(201);
    const { body } = await running.http.get('/marathon/?select=count()');
    expect(body.marathon_list).toEqual([{ count: 200_001 }]);
  });

  it('does not block reads while it is applied', async () => {
    const writer = new pg.Client(running.database.url);
    await writer.connect();
    try {
      await writer.query('BEGIN');
      await writer.query('SELECT 1 FROM journal_head FOR UPDATE');
      const importing = Promise.resolve(send(CSV, 'name\nBoston\n').expect(201));
      await untilBlocked(running.database, 1);
      expect(await rows()).toEqual([]);
      await writer.query('COMMIT');
      await importing;
      expect(await rows()).toEqual([['Boston', null, null]]);
    } finally {
      await writer.end();
    }
  });
});
