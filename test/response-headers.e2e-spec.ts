import { request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

const CLUB = 'https://club.example';

describe('the headers of an answer', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ CORS_ORIGINS: `${CLUB},http://localhost:5173`, TRUST_PROXY: '1' });
  });
  afterAll(async () => running.close());

  it.each(['/marathon/', '/marathon/1', '/nowhere', '/health/live', '/marathon/?nothing=1'])(
    'of %s tell browsers to do nothing but read it',
    async (path) => {
      const { headers } = await running.http.get(path);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('x-powered-by');
    },
  );

  it('require TLS from now on, if the request came over TLS', async () => {
    const plain = await running.http.get('/marathon/');
    expect(plain.headers).not.toHaveProperty('strict-transport-security');
    const { headers } = await running.http.get('/marathon/').set('X-Forwarded-Proto', 'https');
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
  });

  it('allow a page of a configured origin to read it', async () => {
    const { headers } = await running.http.get('/marathon/').set('Origin', CLUB).expect(200);
    expect(headers['access-control-allow-origin']).toBe(CLUB);
    expect(headers['access-control-expose-headers']).toContain('ETag');
    expect(headers.vary).toBe('Origin, Accept, Accept-Encoding, Prefer, Range');
  });

  it('allow no page of another origin', async () => {
    const { headers } = await running.http.get('/marathon/').set('Origin', 'https://evil.example');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    const { headers: preflight } = await running.http
      .options('/marathon/')
      .set({ Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' });
    expect(preflight).not.toHaveProperty('access-control-allow-origin');
  });

  it('answer the preflight request of a page', async () => {
    const { headers } = await running.http
      .options('/marathon/4')
      .set({
        Origin: CLUB,
        'Access-Control-Request-Method': 'PATCH',
        'Access-Control-Request-Headers': 'authorization,if-match',
      })
      .expect(204);
    expect(headers['access-control-allow-methods']).toContain('PATCH');
    expect(headers['access-control-allow-headers']).toBe('authorization,if-match');
  });

  it('keep the answers to OPTIONS and to unknown addresses', async () => {
    const { headers } = await running.http.options('/marathon/').set('Origin', CLUB).expect(204);
    expect(headers.allow).toContain('POST');
    await running.http.post('/nowhere').expect(404);
  });

  it('of an event stream allow it to the page too', async () => {
    const url = `${await running.app.getUrl()}/marathon/changes`;
    const aborting = new AbortController();
    const answer = await fetch(url, {
      headers: { Accept: 'text/event-stream', Origin: CLUB },
      signal: aborting.signal,
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe(CLUB);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    aborting.abort();
  });
});

describe('a compressed list', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp();
    const rows = Array.from({ length: 30_000 }, (_, index) => aMarathon({ name: `Race ${index}` }));
    await running.http.post('/marathon/').send(rows).expect(201);
  });
  afterAll(async () => running.close());

  /** Without decompression, which fetch and supertest would do. */
  const get = async (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: Record<string, string>; bytes: Buffer }>(
      (resolve, reject) => {
        const settle = async (url: string) => {
          httpRequest(`${url}/marathon/${path}`, { headers }, (response) => {
            const { statusCode: status, headers: sent } = response;
            const answer = { status: status!, headers: sent as Record<string, string> };
            buffer(response).then((bytes) => resolve({ ...answer, bytes }), reject);
          }).end();
        };
        running.app.getUrl().then(settle, reject);
      },
    );

  const DECODERS = { br: brotliDecompressSync, gzip: gunzipSync };

  describe.each([
    ['that fits into the buffer', '?limit=100'],
    ['that is streamed', ''],
  ])('%s', (_, path) => {
    it.each(['br', 'gzip'] as const)('has the same content as %s', async (coding) => {
      const plain = await get(path);
      const coded = await get(path, { 'Accept-Encoding': coding });
      expect(coded.headers['content-encoding']).toBe(coding);
      expect(coded.bytes.length).toBeLessThan(plain.bytes.length / 5);
      expect(DECODERS[coding](coded.bytes).equals(plain.bytes)).toBe(true);
      expect(coded.headers.vary).toContain('Accept-Encoding');
      expect(coded.headers.etag).toBe(plain.headers.etag!.replace(/"$/, `-${coding}"`));
    });
  });

  it.each([
    ['gzip;q=0.5, br;q=1', 'br'],
    ['gzip, br', 'br'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['*', 'br'],
    ['identity', undefined],
    ['deflate', undefined],
    ['gzip;q=0', undefined],
    ['', undefined],
  ])('is sent for Accept-Encoding: %s as %s', async (accepted, coding) => {
    const { headers } = await get('?limit=100', { 'Accept-Encoding': accepted });
    expect(headers['content-encoding']).toBe(coding);
  });

  it('is not sent where it would save nothing', async () => {
    const { headers } = await get('?limit=2', { 'Accept-Encoding': 'gzip' });
    expect(headers).not.toHaveProperty('content-encoding');
  });

  it('is not sent again to a client that has it', async () => {
    const first = await get('?limit=100', { 'Accept-Encoding': 'gzip' });
    const again = await get('?limit=100', {
      'Accept-Encoding': 'gzip',
      'If-None-Match': first.headers.etag!,
    });
    expect(again).toMatchObject({ status: 304, headers: { etag: first.headers.etag } });
  });

  it('has a tag by which marathons can be changed', async () => {
    const { headers } = await get('?limit=100', { 'Accept-Encoding': 'br' });
    const remove = () => running.http.delete('/marathon/?id=eq.1').set('If-Match', headers.etag!);
    await remove().expect(200);
    await remove().expect(412);
  });
});
