import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

describe('the guide’s two requests', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  it('finds an empty list before anything was stored', async () => {
    const answer = await running.http.get('/marathon/').expect(200);
    expect(answer.text).toBe('{"marathon_list":[]}');
  });

  it('stores a marathon and answers its id and nothing else', async () => {
    const answer = await running.http.post('/marathon/').send(aMarathon()).expect(201);
    expect(answer.text).toBe('{"id":1}');
    expect(answer.headers).toMatchObject({ location: '/marathon/1', etag: '"1"' });
  });

  it('lists what was stored, with its four members in their order', async () => {
    const answer = await running.http.get('/marathon/').expect(200);
    expect(answer.text).toBe(
      '{"marathon_list":[{"id":1,"name":"Boston Marathon","city":"Boston","inception_year":1897}]}',
    );
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
  });

  it('answers the same with and without the slash at the end', async () => {
    const [without, with_] = await Promise.all(
      ['/marathon', '/marathon/'].map(async (path) => running.http.get(path)),
    );
    expect(without?.text).toBe(with_?.text);
  });
});
