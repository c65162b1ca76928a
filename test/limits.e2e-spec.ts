import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { authorize } from './support/keys.js';

const HOST = 'Host: localhost\r\n';
const POST = `POST /marathon/ HTTP/1.1\r\n${HOST}`;

let running: RunningApp;
afterEach(async () => running.close());

const start = async (settings: Record<string, string>) => (running = await startApp(settings));
const read = (headers: Record<string, string> = {}) => running.http.get('/marathon/').set(headers);

async function open(): Promise<Socket> {
  const { port } = new URL(await running.app.getUrl());
  return connect(Number(port), '127.0.0.1');
}

/** Sends bytes and nothing more, and resolves to all that is answered until the connection is closed. */
async function sendPart(bytes: string): Promise<string> {
  const socket = await open();
  socket.write(bytes);
  return text(socket);
}

describe('the requests of a minute', () => {
  it('are limited for each address', async () => {
    await start({ REQUESTS_PER_MINUTE_PER_ADDRESS: '3' });
    const { headers } = await read().expect(200);
    expect(headers).not.toHaveProperty('ratelimit');
    const second = await read().expect(200);
    expect(second.headers.ratelimit).toMatch(/^"address";r=1;t=\d+$/);
    await running.http.get('/nowhere').expect(404);
    const refused = await read().expect(429);
    expect(refused.body).toMatchObject({ code: 'too_many_requests' });
    expect(refused.body.detail).toMatch(
      /^More than 3 requests in a minute\. Send the next one in \d+/,
    );
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.headers['ratelimit-policy']).toBe('"address";q=3;w=60');
    await running.http.get('/health/live').expect(200);
  });

  it('are limited for pages too, which can read that they have sent too many', async () => {
    const origin = 'https://club.example';
    await start({ CORS_ORIGINS: origin, REQUESTS_PER_MINUTE_PER_ADDRESS: '1' });
    await read().expect(200);
    const { headers } = await read({ Origin: origin }).expect(429);
    expect(headers['access-control-allow-origin']).toBe(origin);
    const preflight = { Origin: origin, 'Access-Control-Request-Method': 'POST' };
    await running.http.options('/marathon/').set(preflight).expect(204);
  });

  it('are limited for each key by itself', async () => {
    await start({
      ACCESS: 'keys',
      REQUESTS_PER_MINUTE_PER_KEY: '2',
      REQUESTS_PER_MINUTE_PER_ADDRESS: '4',
    });
    const first = (await authorize(running, 'reader', 'First')).header;
    const second = (await authorize(running, 'reader', 'Second')).header;
    for (const key of [first, second]) {
      await read(key).expect(200);
      await read(key).expect(200);
      await read(key).expect(429);
    }
    await read().expect(200);
  });

  it('with an invalid key count for the address', async () => {
    await start({ ACCESS: 'keys', REQUESTS_PER_MINUTE_PER_ADDRESS: '2' });
    await read({ apikey: 'mr_forged' }).expect(401);
    await read({ apikey: 'mr_another' }).expect(401);
    await read().expect(429);
  });

  it('are those of the connection, whatever X-Forwarded-For says', async () => {
    await start({ REQUESTS_PER_MINUTE_PER_ADDRESS: '1' });
    await read({ 'X-Forwarded-For': '192.0.2.1' }).expect(200);
    await read({ 'X-Forwarded-For': '192.0.2.2' }).expect(429);
  });

  it.each(['1', '127.0.0.0/8', 'loopback'])(
    'behind a trusted proxy (TRUST_PROXY=%s) are those of the client',
    async (TRUST_PROXY) => {
      await start({ REQUESTS_PER_MINUTE_PER_ADDRESS: '1', TRUST_PROXY });
      await read({ 'X-Forwarded-For': '192.0.2.1' }).expect(200);
      await read({ 'X-Forwarded-For': '192.0.2.2' }).expect(200);
      await read({ 'X-Forwarded-For': '198.51.100.9, 192.0.2.2' }).expect(429);
    },
  );

  it('of an IPv6 network are those of one client', async () => {
    await start({ REQUESTS_PER_MINUTE_PER_ADDRESS: '1', TRUST_PROXY: '1' });
    await read({ 'X-Forwarded-For': '2001:db8:1:2::1' }).expect(200);
    await read({ 'X-Forwarded-For': '2001:db8:1:2:3::9' }).expect(429);
    await read({ 'X-Forwarded-For': '2001:db8:1:3::1' }).expect(200);
  });
});

describe('the connections', () => {
  it('of an address are limited', async () => {
    await start({ MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const sockets = [await open(), await open()];
    const answer = await sendPart('');
    expect(answer).toMatch(/^HTTP\/1.1 503 [^]*"too_many_connections"/);
    for (const socket of sockets) socket.destroy();
    let again = answer;
    while (again.startsWith('HTTP/1.1 503')) {
      again = await sendPart(`GET /health/live HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    }
    expect(again).toContain('{"status":"live"}');
  });

  it('of all clients are limited', async () => {
    await start({ MAX_CONNECTIONS: '1' });
    const socket = await open();
    socket.write(`GET /health/live HTTP/1.1\r\n${HOST}\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    expect(await sendPart('').catch(String)).not.toContain('200');
    socket.destroy();
  });

  it('that send their headers too slowly are closed', async () => {
    await start({ HEADERS_TIMEOUT_SECONDS: '1' });
    const answer = await sendPart(`GET /marathon/ HTTP/1.1\r\n${HOST}X-Slow: `);
    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*"request_timeout"/);
  });

  it.each([
    ['an object', 'application/json', '{"name":'],
    ['rows of JSON', 'application/json', '[{"name":"A"},'],
    ['CSV', 'text/csv', 'name\nA\n'],
    ['a form', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data;'],
  ])('that send %s too slowly are answered and closed', async (_, type, part) => {
    await start({ BODY_TIMEOUT_SECONDS: '1', MIN_BODY_BYTES_PER_SECOND: '1000' });
    const head = `${POST}Content-Type: ${type}\r\nContent-Length: 100000\r\n\r\n`;
    const answer = await sendPart(head + part);
    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*"request_timeout"[^]*arrived too slowly/);
    await read().expect(200, { marathon_list: [] });
  });
});

describe('a request', () => {
  it('with a long address is rejected', async () => {
    await start({ MAX_URL_LENGTH: '300' });
    const { body } = await running.http.get(`/marathon/?name=${'x'.repeat(300)}`).expect(414);
    expect(body).toMatchObject({
      code: 'address_too_long',
      detail: expect.stringContaining('300'),
    });
  });

  it('with a large object is rejected', async () => {
    await start({ MAX_BODY_KB: '2' });
    const send = (name: string) =>
      running.http.post('/marathon/').send({ name, city: 'x'.repeat(3000) });
    const { body } = await send('A').expect(413);
    expect(body.detail).toContain('more than 2 KiB');
    await running.http.post('/marathon/').send(aMarathon()).expect(201);
  });

  it('with large headers is rejected', async () => {
    await start({ MAX_HEADERS_KB: '2' });
    const answer = await sendPart(`GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(3000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 [^]*"headers_too_large"/);
  });

  it.each([
    ['too many conditions', '?or=(id.eq.1,id.eq.2,id.eq.3,id.eq.4)'],
    ['too many parameters', '?id=gt.1&name=eq.a&city=eq.a&inception_year=gt.1'],
    ['conditions that are nested too deeply', '?or=(id.eq.1,and(id.eq.2,not.or(id.eq.3)))'],
  ])('with %s is rejected', async (_, query) => {
    await start({ MAX_CONDITIONS: '3', MAX_CONDITION_DEPTH: '2' });
    for (const method of ['get', 'delete'] as const) {
      const { body } = await running.http[method](`/marathon/${query}`).expect(400);
      expect(body.detail).toContain('at most 3 and 2 are allowed');
    }
    await running.http.get('/marathon/?or=(id.eq.1,and(id.eq.2,id.eq.3))').expect(200);
  });
});
