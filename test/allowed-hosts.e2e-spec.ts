import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

describe('while access is open on loopback', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ ALLOWED_HOSTS: 'marathons.example, 10.0.0.7' });
  });
  afterAll(async () => running.close());

  const get = (host: string, path = '/marathon/') => running.http.get(path).set('Host', host);

  it.each([
    'localhost',
    'localhost:3000',
    'LocalHost.',
    'api.localhost:3000',
    '127.0.0.1:3000',
    '127.1.2.3',
    '[::1]:3000',
    'marathons.example',
    'Marathons.Example:8080',
    '10.0.0.7:3000',
  ])('a request to %s is answered', async (host) => {
    await get(host).expect(200);
  });

  it.each([
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    'x.marathons.example',
    '10.0.0.8',
    '[::2]',
    '',
  ])(
    'a request to "%s" is rejected, because a page of that name may have sent it',
    async (host) => {
      for (const path of ['/marathon/', '/marathon/1', '/health/live', '/nowhere']) {
        const { status, body } = await get(host, path);
        expect({ status, detail: body.detail }).toEqual({
          status: 403,
          detail: expect.stringContaining('ALLOWED_HOSTS'),
        });
      }
    },
  );

  it('such a page cannot store anything', async () => {
    await running.http.post('/marathon/').set('Host', 'evil.example').send(aMarathon()).expect(403);
    await get('localhost').expect(200, { marathon_list: [] });
  });
});
