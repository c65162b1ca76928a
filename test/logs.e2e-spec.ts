import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import autocannon from 'autocannon';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { findFreePorts } from './support/free-ports.js';
import { itWithFullDisk, runProgram, startOnFullDisk, startService } from './support/service.js';

interface Line {
  level: string;
  message: string;
  requestId?: string;
  route?: string;
  status?: number;
  aborted?: boolean;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

let database: TestDatabase;
beforeAll(async () => void (database = await createDatabase()));
afterAll(async () => database.drop());

const start = async (settings: Record<string, string> = {}) =>
  startService({ DATABASE_URL: database.url, ...settings });

/** The lines that a service has logged until it ends. */
async function linesOf(service: Awaited<ReturnType<typeof start>>): Promise<Line[]> {
  const { output } = await service.stop();
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('the log', () => {
  it('has one line for each request, with its id, route, status and duration', async () => {
    const service = await start();
    await fetch(`${service.url}/marathon/`);
    await fetch(`${service.url}/marathon/77`);
    await fetch(`${service.url}/nowhere/at/all`);
    const lines = (await linesOf(service)).filter(({ requestId }) => requestId);
    expect(lines.map(({ route, status }) => ({ route, status }))).toEqual([
      { route: '/marathon', status: 200 },
      { route: '/marathon/:id', status: 404 },
      { route: '', status: 404 },
    ]);
    expect(lines[1]).toMatchObject({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      method: 'GET',
      durationMs: expect.any(Number),
      address: '127.0.0.1',
      message: 'GET /marathon/:id 404',
    });
  });

  it('has no body, key, password or value of a query', async () => {
    const cli = { DATABASE_URL: database.url };
    const { output } = await runProgram(
      'cli.js',
      ['key', 'create', '--role', 'writer', '--name', 'Läufer 滋賀'],
      cli,
    );
    const key = output.trim();
    const service = await start({ ACCESS: 'keys', LOG_LEVEL: 'trace' });
    const headers = { ...JSON_TYPE, Authorization: `Bearer ${key}` };
    const body = JSON.stringify(aMarathon({ name: 'Secret Race' }));
    const post = async (sent: string, address = '/marathon/') =>
      fetch(`${service.url}${address}`, { method: 'POST', headers, body: sent });
    expect((await post(body)).status).toBe(201);
    expect((await post('{"name":"Secret')).status).toBe(400);
    await post(body, '/marathon/?on_conflict=secret');
    await fetch(`${service.url}/marathon/?name=eq.Secret`, { headers });
    await fetch(`${service.url}/marathon/?Secret=1`, { headers: { apikey: 'mr_secret' } });
    await fetch(`${service.url}/Secret/path?secret`);
    const text = JSON.stringify(await linesOf(service));
    expect(text).toContain('"key":"Läufer 滋賀"');
    expect(text).not.toMatch(/secret/i);
    expect(text).not.toContain(key.slice(3, 30));
  });

  it('cannot be forged by what a client sends', async () => {
    const service = await start({ TRUST_PROXY: '1' });
    const forged = '%0A%7B%22level%22%3A%22fatal%22%7D';
    await fetch(`${service.url}/marathon/${forged}?q=${forged}`, {
      headers: { 'X-Request-Id': '{"level":"fatal"}', 'User-Agent': '\\n{"level":"fatal"}' },
    });
    const lines = await linesOf(service);
    expect(lines.filter(({ level }) => level === 'fatal')).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain('fatal');
  });

  it.each([
    ['X-Request-Id', 'from-the-proxy', 'from-the-proxy'],
    [
      'traceparent',
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      '0af7651916cd43dd8448eb211c80319c',
    ],
  ])('has the id of %s behind a trusted proxy only', async (name, value, id) => {
    for (const isTrusted of [true, false]) {
      const service = await start(isTrusted ? { TRUST_PROXY: '1' } : {});
      const answer = await fetch(`${service.url}/health/live`, { headers: { [name]: value } });
      const line = (await linesOf(service)).find(({ route }) => route === '/health/live');
      expect(line!.requestId === id).toBe(isTrusted);
      expect(answer.headers.get('x-request-id')).toBe(isTrusted ? id : null);
    }
  });

  it('says that a client has left', async () => {
    const service = await start();
    const leaving = new AbortController();
    const headers = { Accept: 'text/event-stream' };
    await fetch(`${service.url}/marathon/changes`, { headers, signal: leaving.signal });
    leaving.abort();
    const line = (await linesOf(service)).find(({ route }) => route === '/marathon/changes');
    expect(line).toMatchObject({ aborted: true, address: '127.0.0.1' });
  });

  it('says that a client has left before it was the turn of a pipelined request', async () => {
    const service = await start();
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const host = 'Host: localhost\r\n';
    const stream = `GET /marathon/changes HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`;
    socket.write(stream + `GET /health/live HTTP/1.1\r\n${host}\r\n`.repeat(20));
    await once(socket, 'data');
    socket.destroy();
    const lines = await linesOf(service);
    expect(lines.filter(({ route }) => route === '/marathon/changes')).toHaveLength(1);
    expect(lines.filter(({ route, aborted }) => route === '/health/live' && aborted)).toHaveLength(
      20,
    );
  });
});

describe('a log that cannot be written', () => {
  itWithFullDisk('stops neither the answers nor the shutdown while its disk is full', async () => {
    const [port] = await findFreePorts(1);
    const settings = { DATABASE_URL: database.url, PORT: String(port) };
    const service = await startOnFullDisk('main.js', [], settings);
    await untilReady(`http://127.0.0.1:${port}`);
    const { status } = await fetch(`http://127.0.0.1:${port}/marathon/`);
    expect(status).toBe(200);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    const errors = await service.errors;
    expect(errors.match(/cannot be written: ENOSPC/g)).toHaveLength(1);
    expect(errors).toMatch(/[1-9]\d+ bytes of the log were lost/);
  });

  it('is complete when its reader reads again', async () => {
    const service = await start();
    service.stdout.pause();
    await sendRequests(service.url, 5000);
    service.stdout.resume();
    const lines = await linesOf(service);
    expect(lines.filter(({ route }) => route === '/health/live')).toHaveLength(5000);
  });

  it('says how much was lost if its reader did not read for too long', async () => {
    const service = await start();
    service.stdout.pause();
    await sendRequests(service.url, 90_000);
    service.stdout.resume();
    await once(service.errors, 'data');
    const lines = await linesOf(service);
    const { length } = lines.filter(({ route }) => route === '/health/live');
    expect(length).toBeGreaterThan(50_000);
    expect(length).toBeLessThan(90_000);
    expect((await service.ended).stderr).toMatch(/[1-9]\d+ bytes of it were lost/);
  });
});

async function sendRequests(url: string, amount: number): Promise<void> {
  const load = { url: `${url}/health/live`, connections: 50, amount };
  expect((await autocannon(load))['2xx']).toBe(amount);
}

async function untilReady(url: string): Promise<void> {
  const isReady = async () =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await wait(20);
}

describe('Server-Timing', () => {
  it('is sent to clients that prefer it', async () => {
    const service = await start();
    const timing = async (headers: Record<string, string>) =>
      (await fetch(`${service.url}/marathon/`, { headers })).headers.get('server-timing');
    expect(await timing({ Prefer: 'server-timing, handling=strict' })).toMatch(
      /^total;dur=[\d.]+$/,
    );
    expect(await timing({})).toBeNull();
  });
});

describe('OpenTelemetry', () => {
  it('gets a span of each request', async () => {
    const received: object[] = [];
    const collector = createServer((request: IncomingMessage, response) => {
      void json(request).then((body) => response.end('{}', () => received.push(body as object)));
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    try {
      const { port } = collector.address() as AddressInfo;
      const service = await start({
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_SERVICE_NAME: 'races',
        TRUST_PROXY: '1',
      });
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await fetch(`${service.url}/marathon/1?as_of=secret`, { headers: { traceparent } });
      await service.stop();
      const text = JSON.stringify(received);
      expect(text).toContain('"GET /marathon/:id"');
      expect(text).toContain('"0af7651916cd43dd8448eb211c80319c"');
      expect(text).toContain('"races"');
      expect(text).not.toContain('secret');
    } finally {
      collector.close();
    }
  });
});
