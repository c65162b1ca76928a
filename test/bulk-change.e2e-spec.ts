import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked } from './support/database.js';
import { store } from './support/store.js';

const ALL = '/marathon/?id=gt.0';

describe('a bulk change', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => {
    await running.http.delete('/marathon/?id=gt.0').expect(200);
    await store(running, [
      { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 },
      { name: 'Boston Half', city: 'Boston', inception_year: 2001 },
      { name: 'Paris', city: 'Paris', inception_year: 1976 },
    ]);
  });

  const cities = async () =>
    (await running.http.get('/marathon/')).body.marathon_list.map(
      ({ city }: { city: string }) => city,
    );
  const changes = async (since: number) =>
    (await running.http.get(`/marathon/changes?since=${since}`)).body.changes;
  const lastSeq = async () =>
    Number((await running.http.get('/marathon/')).headers.etag!.slice(1, -1));

  it('updates all matching marathons, and journals each update', async () => {
    const since = await lastSeq();
    const answer = await running.http.patch('/marathon/?city=Boston').send({ city: 'Beantown' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ updated: 2, skipped: 0 });
    expect(await cities()).toEqual(['Beantown', 'Beantown', 'Paris']);
    const journaled = await changes(since);
    expect(
      journaled.map(({ operation, version }: { operation: string; version: number }) => [
        operation,
        version,
      ]),
    ).toEqual([
      ['update', 2],
      ['update', 2],
    ]);
  });

  it('keeps the version of marathons that are not changed', async () => {
    const answer = await running.http
      .patch('/marathon/?id=gt.0')
      .send({ city: 'Paris' })
      .expect(200);
    expect(answer.body).toEqual({ updated: 2, skipped: 1 });
  });

  it.each([
    [
      'an update',
      async (id: number) => running.http.patch(`/marathon/?id=eq.${id}`).send({ name: 'Lutetia' }),
    ],
    [
      'a merge',
      async (id: number) =>
        running.http
          .post('/marathon/?on_conflict=id')
          .set('Prefer', 'resolution=merge-duplicates')
          .send([{ id, name: 'Lutetia' }]),
    ],
  ])('keeps what another program changes meanwhile: %s', async (_, send) => {
    const since = await lastSeq();
    const { body } = await running.http.get('/marathon/?name=Paris');
    const [{ id }] = body.marathon_list;
    const program = new pg.Client(running.database.url);
    await program.connect();
    try {
      await program.query(`BEGIN; UPDATE marathon SET inception_year = 1896 WHERE id = ${id}`);
      const sent = send(id);
      await untilBlocked(running.database, 1);
      await program.query('COMMIT');
      const answer = await sent;
      expect(answer.body).toMatchObject({ updated: 1 });
    } finally {
      await program.end();
    }
    const stored = { name: 'Lutetia', city: 'Paris', inception_year: 1896 };
    expect((await running.http.get(`/marathon/${id}`)).body).toMatchObject(stored);
    expect((await changes(since))[0].marathon).toMatchObject(stored);
  });

  it('changes nothing without members in the body', async () => {
    await running.http.patch(ALL).send({}).expect(200, { updated: 0, skipped: 0 });
    await running.http.patch(ALL).set('Prefer', 'return=minimal').send({}).expect(204);
    const headers = {
      Prefer: 'return=representation',
      Accept: 'application/vnd.pgrst.array+json',
    };
    await running.http.patch(ALL).set(headers).send({}).expect(200, []);
  });

  it('changes the first marathons of an order, with limit and offset', async () => {
    const answer = await running.http
      .patch('/marathon/?id=gt.0&order=inception_year.desc&limit=1&offset=1&select=name')
      .set('Prefer', 'return=representation')
      .send({ city: 'Changed' });
    expect(answer.body).toEqual({ marathon_list: [{ name: 'Paris' }] });
    expect(await cities()).toEqual(['Boston', 'Boston', 'Changed']);
    await running.http.delete('/marathon/?city=eq.Boston&limit=1').expect(200, { deleted: 1 });
    expect(await cities()).toEqual(['Boston', 'Changed']);
    await running.http.delete('/marathon/?id=gt.0&limit=0').expect(200, { deleted: 0 });
    await running.http.delete('/marathon/?limit=1').expect(400);
  });

  it('returns the changed marathons in the requested order', async () => {
    const { body } = await running.http
      .patch('/marathon/?id=gt.0&order=name.desc&select=name')
      .set('Prefer', 'return=representation')
      .send({ inception_year: 1 });
    const names = body.marathon_list.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['Paris', 'Boston Marathon', 'Boston Half']);
  });

  it('deletes marathons, which can be restored', async () => {
    const { body } = await running.http.get('/marathon/?city=Boston&select=id');
    const answer = await running.http.delete('/marathon/?city=Boston').expect(200);
    expect(answer.body).toEqual({ deleted: 2 });
    await running.http.post(`/marathon/${body.marathon_list[0].id}/restore`).expect(200);
    expect(await cities()).toEqual(['Boston', 'Paris']);
  });

  it.each(['patch', 'delete'] as const)('rejects %s without a filter', async (method) => {
    const answer = await running.http[method]('/marathon/').send({ city: 'X' }).expect(400);
    expect(answer.body.detail).toContain('id=gt.0');
    expect(await cities()).toHaveLength(3);
  });

  it('rejects more marathons than max-affected', async () => {
    const refused = await running.http
      .delete('/marathon/?city=Boston')
      .set('Prefer', 'max-affected=1')
      .expect(400);
    expect(refused.body.detail).toContain('2 records would be affected');
    expect(await cities()).toHaveLength(3);
    const done = await running.http
      .delete('/marathon/?city=Boston')
      .set('Prefer', 'max-affected=2')
      .expect(200);
    expect(done.headers['preference-applied']).toBe('max-affected=2');
  });

  it('is rejected if the list changed since', async () => {
    const { headers } = await running.http.get('/marathon/');
    await running.http.post('/marathon/').send({ name: 'In between' }).expect(201);
    await running.http.delete('/marathon/?city=Boston').set('If-Match', headers.etag!).expect(412);
    const { headers: now } = await running.http.get('/marathon/');
    await running.http.delete('/marathon/?city=Boston').set('If-Match', now.etag!).expect(200);
  });

  it('stores nothing as a dry run', async () => {
    const answer = await running.http
      .delete('/marathon/?city=Boston')
      .set('Prefer', 'tx=rollback')
      .expect(200);
    expect(answer.body).toEqual({ deleted: 2 });
    expect(await cities()).toHaveLength(3);
  });

  it('returns the changed marathons, if preferred', async () => {
    const answer = await running.http
      .patch('/marathon/?city=Boston&select=name,city')
      .set('Prefer', 'return=representation')
      .send({ city: 'Beantown' })
      .expect(200);
    expect(answer.body.marathon_list).toEqual([
      { name: 'Boston Marathon', city: 'Beantown' },
      { name: 'Boston Half', city: 'Beantown' },
    ]);
    await running.http.delete('/marathon/?city=Paris').set('Prefer', 'return=minimal').expect(204);
  });

  it('is executed once if it is sent twice with one key', async () => {
    const once = { 'Idempotency-Key': '"all of Boston"' };
    const first = await running.http.patch('/marathon/?city=Boston').set(once).send({ city: 'B' });
    const second = await running.http.patch('/marathon/?city=Boston').set(once).send({ city: 'B' });
    expect(second.body).toEqual(first.body);
    await running.http.patch('/marathon/?city=Boston').set(once).send({ city: 'C' }).expect(422);
  });

  it.each([
    ['patch', '?city=Boston&after=x', { city: 'X' }],
    ['patch', '?citty=Boston', { city: 'X' }],
    ['patch', '?city=Boston', { citty: 'X' }],
    ['patch', '?city=Boston', { name: null }],
    ['delete', '?q=boston', undefined],
  ] as const)('is refused where it is not clear: %s %s %j', async (method, query, body) => {
    await running.http[method](`/marathon/${query}`).send(body).expect(400);
    expect(await cities()).toEqual(['Boston', 'Boston', 'Paris']);
  });
});
