import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { emptyRegistry } from './support/store.js';

const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';
const MERGE = 'resolution=merge-duplicates';
const IGNORE = 'resolution=ignore-duplicates';

describe('an id in an import', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => emptyRegistry(running));

  const send = (type: string, body: string, query = '', prefer = '') =>
    running.http
      .post(`/marathon/${query}`)
      .set({ 'Content-Type': type, ...(prefer && { Prefer: prefer }) })
      .send(body);
  const rows = async (): Promise<unknown[][]> => {
    const { body } = await running.http.get('/marathon/?select=id,name,city');
    return body.marathon_list.map(Object.values);
  };
  const create = async (details = {}): Promise<number> =>
    (await running.http.post('/marathon/').send(aMarathon(details)).expect(201)).body.id;

  it.each([
    ['CSV', CSV, 'id,name\n7,A\n,B\n3.0,C\n,D\n'],
    [
      'NDJSON',
      NDJSON,
      '{"id":7,"name":"A"}\n{"name":"B"}\n{"id":3,"name":"C"}\n{"id":null,"name":"D"}',
    ],
    [
      'JSON',
      'application/json',
      '{"marathon_list":[{"id":7,"name":"A"},{"name":"B"},{"id":3,"name":"C"},{"name":"D"}]}',
    ],
  ])('is kept in %s, and other ids are larger', async (_, type, text) => {
    await send(type, text).expect(201, { inserted: 4, updated: 0, skipped: 0 });
    const stored = await rows();
    expect(stored.map(([, name]) => name)).toEqual(['C', 'A', 'B', 'D']);
    const ids = stored.map(([id]) => Number(id));
    expect(ids.slice(0, 2)).toEqual([3, 7]);
    expect(ids[3]).toBe(ids[2]! + 1);
    expect(await create()).toBe(ids[3]! + 1);
  });

  it('that exists, or is repeated, is rejected with its line', async () => {
    const id = await create();
    const { body } = await send(CSV, `id,name\n50,A\n${id},B\n50,C\n`).expect(400);
    expect(body).toMatchObject({
      rejected: 2,
      errors: [
        { line: 3, pointer: '#/id' },
        { line: 4, pointer: '#/id', detail: '50 is also the id of row 2' },
      ],
    });
    expect(body.errors[0].detail).toMatch(/^1 exists already\. To update/);
    expect(await rows()).toHaveLength(1);
  });

  it.each(['0', '-1', '1.5', 'x', '2000000001', '99999999999999999999'])(
    'is rejected if it is %s',
    async (id) => {
      const { body } = await send(CSV, `id,name\n${id},A\n`).expect(400);
      const [{ detail }] = body.errors;
      expect(detail).toBe('must be a whole number from 1 to 2000000000, or null');
    },
  );

  it('finds the marathon to update, which keeps the columns that the row does not have', async () => {
    const id = await create({ name: 'Old', city: 'Boston' });
    const text = `[{"id":${id},"name":"New"},{"id":90,"name":"Other"},{"name":"Third"},{"id":90,"name":"Last"}]`;
    const merged = send('application/json', text, '?on_conflict=id', MERGE);
    await merged.expect(201, { inserted: 2, updated: 1, skipped: 1 });
    expect(await rows()).toEqual([
      [id, 'New', 'Boston'],
      [90, 'Last', null],
      [91, 'Third', null],
    ]);
  });

  it('is the key without on_conflict, as in PostgREST', async () => {
    const id = await create({ name: 'Old' });
    await send(CSV, `id,name\n${id},New\n,Second\n`, '', IGNORE).expect(201, {
      inserted: 1,
      updated: 0,
      skipped: 1,
    });
    await send(CSV, 'name\nThird\n', '', MERGE).expect(201);
    const upsert = running.http.post('/marathon/').set('Prefer', MERGE);
    await upsert.send({ id, name: 'New' }).expect(201, { inserted: 0, updated: 1, skipped: 0 });
    expect((await rows()).map(([, name]) => name)).toEqual(['New', 'Second', 'Third']);
  });

  it('is kept for new marathons, and ignored for those whose name and city exist', async () => {
    const id = await create({ name: 'A', city: 'x', inception_year: 1 });
    const text = 'id,name,city,inception_year\n80,A,x,2\n70,B,y,3\n,C,z,4\n';
    await send(CSV, text, '?on_conflict=name,city', MERGE).expect(201, {
      inserted: 2,
      updated: 1,
      skipped: 0,
    });
    expect(await rows()).toEqual([
      [id, 'A', 'x'],
      [70, 'B', 'y'],
      [81, 'C', 'z'],
    ]);
    const taken = await send(CSV, 'id,name\n70,D\n', '?on_conflict=name,city', MERGE).expect(400);
    expect(taken.body.errors[0]).toMatchObject({ line: 2, pointer: '#/id' });
  });

  it('continues the versions of a deleted marathon', async () => {
    const id = await create({ name: 'First' });
    await running.http.delete(`/marathon/${id}`).expect(204);
    await send(CSV, `id,name\n${id},Second\n`).expect(201);
    const { body } = await running.http.get(`/marathon/${id}/history`).expect(200);
    const versions = body.history.map(({ version }: { version: number }) => version);
    expect(versions).toEqual([3, 2, 1]);
    expect((await running.http.get(`/marathon/${id}`)).headers.etag).toBe('"3"');
  });

  it.each(['', '?on_conflict=id', '?on_conflict=name,city'])(
    'changes no later id in a dry run with %j',
    async (query) => {
      await create();
      const prefer = `tx=rollback${query && `, ${MERGE}`}`;
      await send(CSV, 'id,name\n1000000,A\n,B\n', query, prefer).expect(201);
      expect(await create()).toBe(2);
    },
  );

  it('does not collide with ids of another program, or with those that clients choose', async () => {
    const id = await create();
    await running.database.query(
      `INSERT INTO marathon (id, name) SELECT ${id} + n, 'Other program' FROM generate_series(1, 20) AS n`,
    );
    await send(CSV, 'name\nA\nB\n').expect(201);
    expect((await rows()).slice(-2)).toEqual([
      [id + 21, 'A', null],
      [id + 22, 'B', null],
    ]);
  });

  it('returns the same answer for a repeated Idempotency-Key', async () => {
    const counts = { inserted: 2, updated: 0, skipped: 0 };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await send(CSV, 'id,name\n7,A\n,B\n').set('Idempotency-Key', '"import"').expect(201, counts);
    }
    expect(await rows()).toHaveLength(2);
  });

  it('is taken from what the service sends: CSV, NDJSON and JSON', async () => {
    await create({ name: 'A' });
    await create({ name: 'B' });
    await running.http.delete('/marathon/1').expect(204);
    for (const [type, format] of [
      [CSV, 'csv'],
      [NDJSON, 'ndjson'],
      ['application/json', 'json'],
    ] as const) {
      const exported = await running.http.get(`/marathon/?format=${format}`).buffer().expect(200);
      await running.http.delete('/marathon/2').expect(204);
      await send(type, exported.text).expect(201);
      const again = await running.http.get(`/marathon/?format=${format}`).buffer().expect(200);
      expect(again.text).toBe(exported.text);
    }
  });
});
