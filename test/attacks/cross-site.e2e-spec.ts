import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { startApp, type RunningApp } from '../support/app.js';

const EVIL = 'https://evil.example';

describe('a page of another site', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'stores nothing with a form of the type %s, which needs no preflight',
    async (type) => {
      const body = type.startsWith('multipart')
        ? '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname\r\nA\r\n--x--\r\n'
        : JSON.stringify(aMarathon());
      const { status, body: problem } = await running.http
        .post('/marathon/')
        .set({ Origin: EVIL, 'Sec-Fetch-Site': 'cross-site', 'Content-Type': type })
        .send(body);
      expect({ status, code: problem.code }).toEqual({ status: 403, code: 'cross_site' });
      await running.http.get('/marathon/').expect(200, { marathon_list: [] });
    },
  );

  it.each([
    [{ Origin: EVIL }, 403],
    [{ Origin: 'null' }, 403],
    [{ Origin: 'https://127.0.0.1.evil.example' }, 403],
    [{ Origin: EVIL, 'Sec-Fetch-Site': 'same-origin' }, 201],
    [{ Origin: 'http://127.0.0.1:5173' }, 201],
    [{}, 201],
  ])('with %j is answered with %i', async (headers, status) => {
    await running.http
      .post('/marathon/')
      .set({ ...headers, Prefer: 'tx=rollback' })
      .send(aMarathon())
      .expect(status);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is not allowed to send %s', async (method) => {
    const { headers } = await running.http
      .options('/marathon/1')
      .set({ Origin: EVIL, 'Access-Control-Request-Method': method });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers).not.toHaveProperty('access-control-allow-methods');
  });

  it('cannot read what the service answers', async () => {
    const { headers } = await running.http.get('/marathon/').set('Origin', EVIL).expect(200);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
  });
});
