import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import pg from 'pg';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked } from './support/database.js';

describe('preconditions', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  const store = async (details = {}): Promise<string> => {
    const { headers } = await running.http.post('/marathon/').send(aMarathon(details)).expect(201);
    return String(headers.location);
  };
  const patch = (place: string, ifMatch: string) =>
    running.http.patch(place).set('If-Match', ifMatch);

  it('accept only the first of two updates of the same version', async () => {
    const place = await store();
    await patch(place, '"1"').send({ city: 'Hopkinton' }).expect(200);
    const { body } = await patch(place, '"1"').send({ city: 'Ashland' }).expect(412);
    expect(body.detail).toContain('version is 2');
    expect((await running.http.get(place)).body.city).toBe('Hopkinton');
  });

  it('answer with the current marathon and its version, so that the write can be repeated', async () => {
    const place = await store({ name: 'Boston Marathon', city: 'Hopkinton' });
    await patch(place, '"1"').send({ city: 'Ashland' }).expect(200);
    for (const stale of [
      patch(place, '"1"').send({ city: 'Boston' }),
      running.http.delete(place).set('If-Match', '"1"'),
      running.http.post(`${place}/restore?version=1`).set('If-Match', '"1"'),
    ]) {
      const { body, headers } = await stale.expect(412);
      const { body: marathon } = await running.http.get(place);
      expect(body.current).toEqual(marathon);
      expect(headers.etag).toBe('"2"');
    }
    await running.http.delete(place).expect(204);
    const deleted = running.http.post(`${place}/restore`).set('If-Match', '"1"');
    expect((await deleted.expect(412)).body.current).toBeUndefined();
  });

  it('accept one of fifty concurrent updates of the same version', async () => {
    const place = await store();
    const changes = Array.from({ length: 50 }, async (_, year) =>
      patch(place, '"1"').send({ inception_year: year + 1 }),
    );
    const statuses = (await Promise.all(changes)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(49);
    expect((await running.http.get(place)).headers.etag).toBe('"2"');
  });

  it.each(['put', 'delete'] as const)('apply to %s, too', async (method) => {
    const place = await store();
    const send = (tag: string) => running.http[method](place).set('If-Match', tag);
    await send('"2"').send(aMarathon()).expect(412);
    const { status } = await send('"7", "1"').send(aMarathon({ city: null }));
    expect([200, 204]).toContain(status);
  });

  it.each([
    ['any version', '*', 200],
    ['a weak tag, which is no version', 'W/"1"', 412],
    ['a tag that no version has', '"one"', 412],
    ['a tag without its quotes', '1', 400],
  ])('accept If-Match: %s', async (_, tag, status) => {
    const place = await store();
    await patch(place, tag).send({ city: 'Ashland' }).expect(status);
  });

  it('do not apply to a missing marathon: 404', async () => {
    await patch('/marathon/99999', '"1"').send({ city: 'Ashland' }).expect(404);
    await patch('/marathon/99999', '*').send({ city: 'Ashland' }).expect(404);
  });

  it('apply to an update that waited while its marathon was deleted and restored', async () => {
    const place = await store();
    const writer = new pg.Client(running.database.url);
    await writer.connect();
    try {
      await writer.query('BEGIN');
      await writer.query('SELECT 1 FROM journal_head FOR UPDATE');
      const changed = Promise.resolve(
        running.http.patch(place).send({ city: 'Ashland' }).expect(200),
      );
      await untilBlocked(running.database, 1);
      const { rows } = await writer.query('DELETE FROM marathon WHERE id = $1 RETURNING *', [
        place.split('/').at(-1),
      ]);
      await writer.query(
        'INSERT INTO marathon SELECT * FROM json_populate_record(NULL::marathon, $1)',
        [JSON.stringify(rows[0])],
      );
      await writer.query('COMMIT');
      expect((await changed).body.city).toBe('Ashland');
      expect((await running.http.get(place)).body.city).toBe('Ashland');
    } finally {
      await writer.end();
    }
  });

  it('keep the version if an update changes nothing', async () => {
    const place = await store();
    const { headers } = await running.http.put(place).send(aMarathon()).expect(200);
    expect(headers.etag).toBe('"1"');
    expect((await running.http.get(`${place}/history`)).body.history).toHaveLength(1);
  });

  it('answer 304 for an unchanged marathon', async () => {
    const place = await store();
    const ask = (tag: string) => running.http.get(place).set('If-None-Match', tag);
    await ask('"1"').expect(304, '');
    await ask('W/"1"').expect(304, '');
    await ask('*').expect(304, '');
    await ask('"2", "3"').expect(200);
    await running.http.head(place).set('If-None-Match', '"1"').expect(304);
    await running.http.patch(place).send({ city: 'Ashland' });
    await ask('"1"').expect(200);
  });

  it('answer 304 for an unchanged list', async () => {
    const list = () => running.http.get('/marathon/');
    const place = await store();
    const { headers } = await list().expect(200);
    await list().set('If-None-Match', headers.etag!).expect(304, '');
    await running.http.delete(place).expect(204);
    const again = await list().set('If-None-Match', headers.etag!).expect(200);
    expect(Number(again.headers.etag?.slice(1, -1))).toBe(Number(headers.etag?.slice(1, -1)) + 1);
  });

  it('execute a dry run, which stores nothing', async () => {
    const place = await store();
    const dryRun = running.http.patch(place).set('Prefer', 'tx=rollback');
    const { body, headers } = await dryRun.send({ city: 'Ashland' }).expect(200);
    expect(body.city).toBe('Ashland');
    expect(headers['preference-applied']).toBe('tx=rollback');
    expect((await running.http.get(place)).body.city).toBe('Boston');
    await running.http.delete(place).set('Prefer', 'tx=rollback').expect(204);
    await running.http.get(place).expect(200);
    await running.http.delete(place).set('Prefer', 'tx=rolback').expect(400);
  });
});
