import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked } from './support/database.js';

describe('an id that a client chooses', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  const create = (details: object) =>
    running.http.post('/marathon/').send({ ...aMarathon(), ...details });
  const createWithoutId = async (): Promise<number> => (await create({}).expect(201)).body.id;

  it('is kept, and later ids are larger', async () => {
    const { body, headers } = await create({ id: 70 }).expect(201);
    expect(body).toEqual({ id: 70 });
    expect(headers).toMatchObject({ location: '/marathon/70', etag: '"1"' });
    expect(await createWithoutId()).toBe(71);
    await create({ id: 40 }).expect(201);
    expect(await createWithoutId()).toBe(72);
  });

  it('is assigned if it is null', async () => {
    const id = await createWithoutId();
    await create({ id: null }).expect(201, { id: id + 1 });
  });

  it('is rejected if it exists', async () => {
    await create({ id: 100 }).expect(201);
    const { body } = await create({ id: 100, name: 'Other' }).expect(409);
    expect(body).toMatchObject({
      code: 'already_exists',
      detail:
        'The id 100 exists already. Send PUT or PATCH to change it, or leave the id out to create another one.',
    });
    await running.http.get('/marathon/100').expect(200, { id: 100, ...aMarathon() });
  });

  it.each([0, -1, 1.5, '7', 2_000_000_001])('is rejected if it is %j', async (id) => {
    const { body } = await create({ id }).expect(400);
    expect(body.errors).toEqual([
      { pointer: '#/id', detail: 'must be a whole number from 1 to 2000000000, or null' },
    ]);
  });

  it('returns the same answer for a repeated Idempotency-Key', async () => {
    const send = () => create({ id: 200 }).set('Idempotency-Key', '"one"');
    await send().expect(201, { id: 200 });
    await send().expect(201, { id: 200 });
    await create({ id: 201 }).set('Idempotency-Key', '"one"').expect(422);
  });

  it('continues the versions of a deleted marathon', async () => {
    await create({ id: 300, name: 'First' }).expect(201);
    await running.http.delete('/marathon/300').expect(204);
    const { headers } = await create({ id: 300, name: 'Second' }).expect(201);
    expect(headers.etag).toBe('"3"');
    const { body } = await running.http.get('/marathon/300/history').expect(200);
    const operations = body.history.map(({ operation }: { operation: string }) => operation);
    expect(operations).toEqual(['create', 'delete', 'create']);
  });

  it('changes no later id in a dry run', async () => {
    const id = await createWithoutId();
    await create({ id: 1_000_000 }).set('Prefer', 'tx=rollback').expect(201);
    await running.http.get('/marathon/1000000').expect(404);
    expect(await createWithoutId()).toBe(id + 1);
  });

  it('is created by PUT with If-None-Match: *', async () => {
    const put = () => running.http.put('/marathon/400').set('If-None-Match', '*').send(aMarathon());
    const { body, headers } = await put().expect(201);
    expect(body).toEqual({ id: 400, ...aMarathon() });
    expect(headers).toMatchObject({ location: '/marathon/400', etag: '"1"' });
    expect((await put().expect(412)).body.detail).toMatch(/^The id 400 exists already/);
    await running.http.put('/marathon/401').send(aMarathon()).expect(404);
  });

  it.each(['0', '2000000001'])('cannot be %s in the address of a PUT', async (id) => {
    const put = running.http.put(`/marathon/${id}`).set('If-None-Match', '*').send(aMarathon());
    expect((await put.expect(400)).body.code).toBe('invalid_id');
  });

  it.each(['put', 'patch'] as const)('may be sent back by %s, unchanged', async (method) => {
    const id = await createWithoutId();
    const { body } = await running.http.get(`/marathon/${id}`);
    await running.http[method](`/marathon/${id}`).send(body).expect(200, body);
    const rejected = await running.http[method](`/marathon/${id}`).send({ ...body, id: 1 });
    expect(rejected.body.errors).toEqual([
      {
        pointer: '#/id',
        detail: `is 1, and the address names ${id}; the id of a marathon cannot be changed`,
      },
    ]);
  });

  it('may be sent back by PATCH with the filter for it', async () => {
    const id = await createWithoutId();
    const patch = (filter: string) =>
      running.http.patch(`/marathon/?${filter}`).send({ id, name: 'Renamed' });
    await patch(`id=eq.${id}`).expect(200, { updated: 1, skipped: 0 });
    for (const filter of ['name=eq.Renamed', 'id=eq.1', `id=not.eq.${id}`, `id=gte.${id}`]) {
      expect((await patch(filter).expect(400)).body.errors[0].pointer).toBe('#/id');
    }
  });

  it('does not collide with ids of another program', async () => {
    const id = await createWithoutId();
    await running.database.query(
      `INSERT INTO marathon (id, name) SELECT ${id} + n, 'Other program' FROM generate_series(1, 20) AS n`,
    );
    const ids = await Promise.all(Array.from({ length: 10 }, createWithoutId));
    expect(ids.sort((a, b) => a - b)).toEqual(ids.map((_, index) => id + 21 + index));
  });

  it('does not collide with ids of another program in writes that are in flight', async () => {
    const id = await createWithoutId();
    await running.database.query(
      `INSERT INTO marathon (id, name) SELECT ${id} + n, 'Other program' FROM generate_series(1, 9) AS n`,
    );
    const blocker = new pg.Client(running.database.url);
    await blocker.connect();
    try {
      await blocker.query('BEGIN; SELECT FROM journal_head FOR UPDATE');
      const first = createWithoutId();
      await untilBlocked(running.database, 1);
      const arrived = once(running.app.getHttpServer(), 'request');
      const second = createWithoutId();
      await arrived;
      await blocker.query('COMMIT');
      expect((await Promise.all([first, second])).sort((a, b) => a - b)).toEqual([
        id + 10,
        id + 11,
      ]);
    } finally {
      await blocker.end();
    }
  });
});
