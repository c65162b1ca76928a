import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { createDatabase } from './support/database.js';
import { findFreePorts } from './support/free-ports.js';
import { authorize } from './support/keys.js';
import { startService } from './support/service.js';

describe('/metrics', () => {
  let running: RunningApp;
  let admin: Record<string, string>;
  beforeAll(async () => {
    running = await startApp({ ACCESS: 'keys' });
    admin = (await authorize(running, 'admin')).header;
  });
  afterAll(async () => running.close());

  const read = async () => (await running.http.get('/metrics').set(admin).expect(200)).text;
  const valueOf = async (metric: string) => {
    const line = (await read()).split('\n').find((each) => each.startsWith(`${metric} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };

  it('counts requests by route and status, without values', async () => {
    const metric =
      'http_request_duration_seconds_count{method="GET",route="/marathon/:id",status="404"}';
    const before = await valueOf(metric);
    await running.http.get('/marathon/404');
    await running.http.get('/marathon/405');
    expect(await valueOf(metric)).toBe(before + 2);
    await running.http.get('/unknown/secret');
    expect(await read()).not.toContain('secret');
  });

  it('measures batches, the pool, the journal and this process', async () => {
    const post = () => running.http.post('/marathon/').set(admin).send(aMarathon());
    const before = await valueOf('database_batch_size_sum{kind="write"}');
    await Promise.all(Array.from({ length: 10 }, async () => post()));
    expect(await valueOf('database_batch_size_sum{kind="write"}')).toBe(before + 10);
    expect(await valueOf('database_connections_open')).toBeGreaterThan(0);
    expect(await valueOf('database_reachable')).toBe(1);
    await running.http.get('/marathon/');
    expect(await valueOf('journal_last_seq')).toBeGreaterThanOrEqual(10);
    const text = await read();
    for (const name of [
      'database_connection_events_total{event="recycled"}',
      'change_listeners',
      'nodejs_eventloop_lag_seconds',
      'process_resident_memory_bytes',
    ]) {
      expect(text).toContain(name);
    }
  });

  it('counts clients that leave', async () => {
    const before = await valueOf('http_requests_aborted_total');
    const leaving = new AbortController();
    await fetch(`${await running.app.getUrl()}/marathon/changes`, {
      headers: { Accept: 'text/event-stream' },
      signal: leaving.signal,
    });
    leaving.abort();
    while ((await valueOf('http_requests_aborted_total')) === before);
  });
});

describe('/metrics while access is open', () => {
  it('does not query the database', async () => {
    const running = await startApp();
    try {
      const lastQuery = async () =>
        running.database.query(
          `SELECT max(query_start)::text FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
      await running.http.get('/marathon/').expect(200);
      const before = await lastQuery();
      await running.http.get('/metrics').expect(200);
      expect(await lastQuery()).toEqual(before);
    } finally {
      await running.close();
    }
  });
});

describe('ADMIN_PORT', () => {
  it('has the limits of the other port', async () => {
    await withAdminPort({ MAX_HEADERS_KB: '2' }, async (_, adminPort) => {
      const large = { headers: { filler: 'x'.repeat(3000) } };
      const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`, large);
      expect(answer.status).toBe(431);
      expect(await answer.json()).toMatchObject({ code: 'headers_too_large' });
    });
  });

  it('has metrics, keys and documentation to itself', async () => {
    await withAdminPort({}, async (port, adminPort) => {
      const paths = ['/metrics', '/docs', '/keys', '/marathon/', '/health/live', '/openapi.json'];
      expect(await Promise.all(paths.map(async (path) => statusOf(port, path)))).toEqual([
        404, 404, 404, 200, 200, 200,
      ]);
      for (const path of ['/%6detrics', '/metrics/', '/%6beys', '//metrics', '/metrics?x=1']) {
        expect(await statusOf(port, path)).toBe(404);
      }
      expect(await Promise.all(paths.map(async (path) => statusOf(adminPort, path)))).toEqual([
        200, 200, 403, 404, 200, 200,
      ]);
      const { headers } = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    });
  });
});

async function withAdminPort(
  settings: Record<string, string>,
  work: (port: string, adminPort: string) => Promise<void>,
): Promise<void> {
  const database = await createDatabase();
  const adminPort = String(await findFreePorts(1));
  const service = await startService({
    DATABASE_URL: database.url,
    ADMIN_PORT: adminPort,
    ...settings,
  });
  try {
    await work(new URL(service.url).port, adminPort);
  } finally {
    const { exitCode } = await service.stop();
    await database.drop();
    expect(exitCode).toBe(0);
  }
}

async function statusOf(port: string, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
}
