import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChangeResponse, MarathonResponse } from '../src/marathon/marathon.dto.js';
import { startApp, type RunningApp } from './support/app.js';
import { authorize } from './support/keys.js';
import { emptyRegistry, store } from './support/store.js';

const BOSTON = { name: 'Boston', city: 'Boston', inception_year: 1897 };
const PARIS = { name: 'Paris', city: 'Paris', inception_year: 1976 };
const BOTH = [
  { id: 1, ...BOSTON },
  { id: 2, ...PARIS },
];

describe('undoing a write', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => {
    await emptyRegistry(running);
    await store(running, [BOSTON, PARIS]);
  });

  const list = async (path = '/marathon/'): Promise<MarathonResponse[]> =>
    (await running.http.get(path).expect(200)).body.marathon_list;
  const undo = (range: string | undefined) =>
    running.http.post(`/marathon/restore?changes=${range}`);
  const operations = async (id: number) => {
    const { body } = await running.http.get(`/marathon/${id}/history`).expect(200);
    return body.history.map(({ operation, version }: ChangeResponse) => [operation, version]);
  };

  it('restores what a bulk change changed', async () => {
    const { headers } = await running.http
      .patch('/marathon/?id=gt.0')
      .send({ city: 'Nowhere' })
      .expect(200);
    expect(headers['change-range']).toBe('3-4');
    await undo(headers['change-range']).expect(200, { restored: 2, deleted: 0, skipped: 0 });
    expect(await list()).toEqual(BOTH);
    expect(await operations(1)).toEqual([
      ['restore', 3],
      ['update', 2],
      ['create', 1],
    ]);
  });

  it('restores what a bulk deletion deleted', async () => {
    const { headers } = await running.http.delete('/marathon/?id=gt.0').expect(200);
    await undo(headers['change-range']).expect(200, { restored: 2, deleted: 0, skipped: 0 });
    expect(await list()).toEqual(BOTH);
  });

  it('skips what another program deleted already', async () => {
    const { headers } = await running.http
      .post('/marathon/')
      .send([{ name: 'Rome' }, { name: 'Oslo' }]);
    await running.database.query(`DELETE FROM marathon WHERE name = 'Rome'`);
    await undo(headers['change-range']).expect(200, { restored: 0, deleted: 1, skipped: 1 });
    expect(await list()).toEqual(BOTH);
  });

  it('deletes what an import added, and restores what it changed', async () => {
    const { headers } = await running.http
      .post('/marathon/?on_conflict=name,city')
      .set('Prefer', 'resolution=merge-duplicates')
      .send([{ ...BOSTON, inception_year: 1900 }, { name: 'Rome' }])
      .expect(201);
    await undo(headers['change-range']).expect(200, { restored: 1, deleted: 1, skipped: 0 });
    expect(await list()).toEqual(BOTH);
    expect(await operations(3)).toEqual([
      ['delete', 2],
      ['create', 1],
    ]);
  });

  it('can be undone itself', async () => {
    const added = await running.http
      .post('/marathon/')
      .send([{ name: 'Rome' }, { name: 'Oslo' }])
      .expect(201);
    const undone = await undo(added.headers['change-range']).expect(200);
    await undo(undone.headers['change-range']).expect(200, {
      restored: 2,
      deleted: 0,
      skipped: 0,
    });
    expect((await list()).map(({ name }) => name)).toEqual(['Boston', 'Paris', 'Rome', 'Oslo']);
  });

  it('undoes several changes of a marathon together', async () => {
    await running.http.patch('/marathon/1').send({ city: 'A' }).expect(200);
    await running.http.patch('/marathon/1').send({ city: 'B' }).expect(200);
    await running.http.delete('/marathon/1').expect(204);
    await undo('3-5').expect(200, { restored: 1, deleted: 0, skipped: 0 });
    expect(await list()).toEqual(BOTH);
  });

  it('leaves a marathon that is what it was before', async () => {
    await running.http.patch('/marathon/1').send({ city: 'A' }).expect(200);
    await running.http.patch('/marathon/1').send({ city: 'Boston' }).expect(200);
    const { body, headers } = await undo('3-4').expect(200);
    expect(body).toEqual({ restored: 0, deleted: 0, skipped: 1 });
    expect(headers['change-range']).toBeUndefined();
    expect((await operations(1)).length).toBe(3);
  });

  it('undoes nothing if a marathon was changed later, and names the change', async () => {
    await running.http.patch('/marathon/?id=gt.0').send({ city: 'Nowhere' }).expect(200);
    await running.http.patch('/marathon/2').send({ city: 'Somewhere' }).expect(200);
    const { body } = await undo('3-4').expect(409);
    expect(body).toMatchObject({
      code: 'changed_since',
      errors: [{ detail: 'The record 2 was changed later, by the change 5.' }],
    });
    expect((await list()).map(({ city }) => city)).toEqual(['Nowhere', 'Somewhere']);
  });

  it('is done once for a repeated Idempotency-Key', async () => {
    await running.http.delete('/marathon/1').expect(204);
    const once = async () =>
      undo('3-3')
        .set('Idempotency-Key', '"undo"')
        .expect(200, { restored: 1, deleted: 0, skipped: 0 });
    const [first, second] = [await once(), await once()];
    expect(second.headers['change-range']).toBe(first.headers['change-range']);
    await undo('1-1').set('Idempotency-Key', '"undo"').expect(422);
  });

  it('shows in a dry run what it would restore, and restores nothing', async () => {
    await running.http.delete('/marathon/?id=gt.0').expect(200);
    const answer = await undo('3-4')
      .set('Prefer', 'tx=rollback, return=representation')
      .expect(200);
    expect(answer.body.marathon_list).toEqual(BOTH);
    expect(answer.headers['change-range']).toBeUndefined();
    expect(await list()).toEqual([]);
  });

  it.each([
    ['', 'changes: is required: a range such as 1-1'],
    ['?changes=7', 'changes: must be a range such as 1-1'],
    ['?changes=4-3', 'changes: must be a range such as 1-1'],
    ['?changes=0-1', 'changes: must be a range such as 1-1'],
    ['?changes=1-9', 'There is no change 9 yet: the last one is 2.'],
  ])('rejects a wrong range: %s', async (query, detail) => {
    const { body } = await running.http.post(`/marathon/restore${query}`).expect(400);
    expect(body.detail).toBe(detail);
  });

  it('affects at most as many marathons as max-affected allows', async () => {
    await running.http.delete('/marathon/?id=gt.0').expect(200);
    const { body } = await undo('3-4').set('Prefer', 'max-affected=1').expect(400);
    expect(body.code).toBe('max_affected_exceeded');
    expect(await list()).toEqual([]);
  });

  it('needs max-affected from a writer', async () => {
    const keyed = await startApp({ ACCESS: 'keys' });
    try {
      const { header } = await authorize(keyed, 'writer');
      await keyed.http.post('/marathon/').set(header).send(BOSTON).expect(201);
      const path = '/marathon/restore?changes=1-1';
      const refused = await keyed.http.post(path).set(header).expect(403);
      expect(refused.body.code).toBe('insufficient_role');
      await keyed.http.post(path).set(header).set('Prefer', 'max-affected=1').expect(200);
    } finally {
      await keyed.close();
    }
  });

  it('lists the deleted marathons as they were, the last one first', async () => {
    await store(running, [{ name: 'Rome' }]);
    await running.http.patch('/marathon/1').send({ city: 'Hopkinton' }).expect(200);
    await running.http.delete('/marathon/1').expect(204);
    await running.http.delete('/marathon/2').expect(204);
    await running.http.delete('/marathon/3').expect(204);
    await running.http.post('/marathon/3/restore').expect(200);
    expect(await list('/marathon/deleted')).toEqual([
      { id: 2, ...PARIS, seq: 6 },
      { id: 1, ...BOSTON, city: 'Hopkinton', seq: 5 },
    ]);
    expect(await list('/marathon/deleted?name=Boston&select=id,version')).toEqual([
      { id: 1, version: 3 },
    ]);
    const { text } = await running.http.get('/marathon/deleted?format=csv&select=id').expect(200);
    expect(text).toMatch(/^id\r?\n2\r?\n1\r?\n$/);
  });
});
