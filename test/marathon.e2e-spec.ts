import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

describe('a marathon', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  const store = async (details = {}): Promise<string> => {
    const { headers } = await running.http.post('/marathon/').send(aMarathon(details)).expect(201);
    return String(headers.location);
  };

  it('is found at its Location, with its version as ETag', async () => {
    const place = await store({
      name: 'Košice Peace Marathon',
      city: 'Košice',
      inception_year: 1924,
    });
    const { body, headers } = await running.http.get(place).expect(200);
    expect(body).toEqual({
      id: Number(place.split('/').at(-1)),
      name: 'Košice Peace Marathon',
      city: 'Košice',
      inception_year: 1924,
    });
    expect(headers.etag).toBe('"1"');
  });

  it('answers HEAD as GET, without the body', async () => {
    const place = await store();
    const get = await running.http.get(place);
    const head = await running.http.head(place).expect(200);
    expect(head.text).toBeUndefined();
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect(head.headers.etag).toBe(get.headers.etag);
  });

  it('is replaced by PUT, with null for absent members', async () => {
    const place = await store();
    const { body, headers } = await running.http.put(place).send({ name: 'Berlin' }).expect(200);
    expect(body).toMatchObject({ name: 'Berlin', city: null, inception_year: null });
    expect(headers.etag).toBe('"2"');
  });

  it.each(['application/json', 'application/merge-patch+json'])(
    'is updated by PATCH as %s, in the members that were sent',
    async (type) => {
      const place = await store();
      const patch = running.http.patch(place).set('Content-Type', type);
      const { body } = await patch.send('{"inception_year":null}').expect(200);
      expect(body).toMatchObject(aMarathon({ inception_year: null }));
    },
  );

  it('keeps its version after an empty PATCH', async () => {
    const place = await store();
    const { headers } = await running.http.patch(place).send({}).expect(200);
    expect(headers.etag).toBe('"1"');
  });

  it('keeps two concurrent updates of different members', async () => {
    const place = await store();
    const changes = [{ name: 'New' }, { city: 'Hopkinton' }, { inception_year: 1900 }];
    await Promise.all(changes.map(async (change) => running.http.patch(place).send(change)));
    const { body, headers } = await running.http.get(place);
    expect(body).toMatchObject({ name: 'New', city: 'Hopkinton', inception_year: 1900 });
    expect(headers.etag).toBe('"4"');
  });

  it('is not found after DELETE', async () => {
    const place = await store();
    await running.http.delete(place).expect(204, '');
    await running.http.get(place).expect(404);
    await running.http.delete(place).expect(404);
  });

  it.each(['get', 'delete', 'put', 'patch'] as const)(
    'answers 404 to %s if it never existed',
    async (method) => {
      for (const id of ['0', '99999', '2147483648', '99999999999999']) {
        const request = running.http[method](`/marathon/${id}`);
        const { body } = await (method === 'put' || method === 'patch'
          ? request.send(aMarathon())
          : request);
        expect(body).toMatchObject({ status: 404, detail: `There is no marathon ${id}.` });
      }
    },
  );

  it('stores text unchanged, without white space around it', async () => {
    const name = 'Maratona d’Italia “memorial”\t 東京 👩‍👩‍👧 \u0301e\u0301';
    const place = await store({ name: `  ${name}\n` });
    expect((await running.http.get(place)).body.name).toBe(name);
  });

  it('can have a name of 100 emoji, which are 100 characters', async () => {
    const name = '😀'.repeat(100);
    const place = await store({ name });
    expect((await running.http.get(place)).body.name).toBe(name);
  });
});
