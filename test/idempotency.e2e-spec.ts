import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

describe('a request with an Idempotency-Key', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  beforeEach(async () => void (await running.database.query('DELETE FROM marathon')));
  afterAll(async () => running.close());

  const post = (key: string, path = '/marathon/') =>
    running.http.post(path).set('Idempotency-Key', key);
  const count = async () => (await running.database.query('SELECT 1 FROM marathon')).length;

  it('is executed once when it is sent twice, with the same answer', async () => {
    const first = await post('"twice"').send(aMarathon()).expect(201);
    const second = await post('"twice"').send(aMarathon()).expect(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers.location).toBe(first.headers.location);
    expect(second.headers.etag).toBe(first.headers.etag);
    expect(await count()).toBe(1);
  });

  it('is executed once when fifty clients send it concurrently, with the same answer', async () => {
    const sent = Array.from({ length: 50 }, async () => post('"fifty"').send(aMarathon()));
    const answers = await Promise.all(sent);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await count()).toBe(1);
  });

  it('gets its first answer, even if the marathon changed since', async () => {
    const first = await post('"changed"').send(aMarathon()).expect(201);
    await running.http.delete(String(first.headers.location)).expect(204);
    const second = await post('"changed"').send(aMarathon()).expect(201);
    expect(second.body).toEqual(first.body);
    expect(await count()).toBe(0);
  });

  it('is rejected with another body or another address', async () => {
    const { headers } = await post('"taken"').send(aMarathon()).expect(201);
    const { body } = await post('"taken"')
      .send(aMarathon({ city: 'Hopkinton' }))
      .expect(422);
    expect(body.detail).toContain('another request');
    await running.http.delete(String(headers.location));
    await post('"taken"', `${headers.location}/restore`).expect(422);
    expect(await count()).toBe(0);
  });

  it('gets its first answer as a dry run, too', async () => {
    const first = await post('"dry-run"').send(aMarathon()).expect(201);
    const again = () => post('"dry-run"').set('Prefer', 'tx=rollback');
    const { body } = await again().send(aMarathon()).expect(201);
    expect(body).toEqual(first.body);
    await again()
      .send(aMarathon({ city: 'Hopkinton' }))
      .expect(422);
    expect(await count()).toBe(1);
  });

  it('restores once', async () => {
    const { headers } = await running.http.post('/marathon/').send(aMarathon());
    await running.http.delete(String(headers.location));
    const path = `${headers.location}/restore`;
    const first = await post('"restore"', path).expect(200);
    const second = await post('"restore"', path).expect(200);
    expect(second.body).toEqual(first.body);
    expect(second.headers.etag).toBe('"3"');
  });

  it('imports once, however many rows', async () => {
    const send = async () =>
      post('"import"').set('Content-Type', 'text/csv').send('name\nBoston\nBerlin\n');
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ body }) => body)).toEqual(
      answers.map(() => ({ inserted: 2, updated: 0, skipped: 0 })),
    );
    expect(await count()).toBe(2);
    const other = post('"import"').set('Content-Type', 'text/csv');
    await other.send('name\nBoston\nParis\n').expect(422);
  });

  it('can be sent again after it was rejected', async () => {
    await post('"mended"').send({ name: '' }).expect(400);
    await post('"mended"').send(aMarathon()).expect(201);
  });

  it('accepts keys of up to 255 printable characters, with or without quotes', async () => {
    const first = await post('bare-8e03978e').send(aMarathon()).expect(201);
    const second = await post('"bare-8e03978e"').send(aMarathon()).expect(201);
    expect(second.body).toEqual(first.body);
    for (const key of ['""', '"', 'a b', `"${'k'.repeat(256)}"`, 'ü']) {
      await post(key).send(aMarathon()).expect(400);
    }
  });
});
