import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

describe('the requests of the guide', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  it('list no marathons at first', async () => {
    const answer = await running.http.get('/marathon/').expect(200);
    expect(answer.text).toBe('{"marathon_list":[]}');
  });

  it('store a marathon and answer with its id only', async () => {
    const answer = await running.http.post('/marathon/').send(aMarathon()).expect(201);
    expect(answer.text).toBe('{"id":1}');
    expect(answer.headers).toMatchObject({ location: '/marathon/1', etag: '"1"' });
  });

  it('list the marathon with its four members in their order', async () => {
    const answer = await running.http.get('/marathon/').expect(200);
    expect(answer.text).toBe(
      '{"marathon_list":[{"id":1,"name":"Boston Marathon","city":"Boston","inception_year":1897}]}',
    );
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
  });

  it('work with and without a trailing slash', async () => {
    const [without, with_] = await Promise.all(
      ['/marathon', '/marathon/'].map(async (path) => running.http.get(path)),
    );
    expect(without?.text).toBe(with_?.text);
  });
});
