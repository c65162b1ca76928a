import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { Clients } from './support/clients.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { startPooler } from './support/pooler.mjs';
import { isInstalled } from './support/programs.js';
import { startProxy, type Link } from './support/proxy.js';
import { random } from './support/seed.js';
import { runProgram, startService } from './support/service.js';

/** Debian's package; `.ci/run` installs it. Users need not have it, so without it these tests are skipped. */
const describeWithPooler = isInstalled('pgbouncer') ? describe : describe.skip;

describeWithPooler('behind PgBouncer, in transaction mode', () => {
  let running: RunningApp;
  let pooler: Awaited<ReturnType<typeof startPooler>>;

  beforeAll(async () => {
    running = await startApp({}, async (url) => {
      pooler = await startPooler(process.env.TEST_POSTGRES_SOCKET!);
      return behind(pooler, url);
    });
  });
  afterAll(async () => {
    await running.close();
    await pooler.stop();
  });

  it('every request works as without it', async () => {
    const { headers } = await running.http.post('/marathon/').send(aMarathon()).expect(201);
    const place = String(headers.location);
    await running.http.patch(place).set('If-Match', '"1"').send({ city: 'Hopkinton' }).expect(200);
    await running.http.delete(place).expect(204);
    await running.http.post(`${place}/restore`).expect(200);
    const csv = () => running.http.post('/marathon/').set('Content-Type', 'text/csv');
    await csv()
      .send('name\nBoston\nBerlin\n')
      .expect(201, '{"inserted":2,"updated":0,"skipped":0}');
    const merge = csv().query({ on_conflict: 'name,city' });
    await merge
      .set('Prefer', 'resolution=merge-duplicates')
      .send('name\nBoston\nParis\n')
      .expect(201);
    const { body } = await running.http.get(`${place}/history`).expect(200);
    expect(body.history).toHaveLength(4);
  });

  it('fifty concurrent clients are served, each write once', async () => {
    const key = { 'Idempotency-Key': '"pooled"' };
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () =>
        running.http.post('/marathon/').set(key).send(aMarathon()),
      ),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  });
});

describeWithPooler('behind PgBouncer, in another mode', () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createDatabase()));
  afterAll(async () => database.drop());

  it('is refused with what to set, if it allows no transactions', async () => {
    const pooler = await startPooler(process.env.TEST_POSTGRES_SOCKET!, 'statement');
    try {
      const settings = { DATABASE_URL: behind(pooler, database.url), PORT: '0' };
      const { exitCode, stderr } = await runProgram('main.js', [], settings);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('pool_mode = transaction');
    } finally {
      await pooler.stop();
    }
  });

  it('answers each request with its own result, although connections fail', async () => {
    const pooler = await startPooler(process.env.TEST_POSTGRES_SOCKET!);
    const proxy = await startProxy(behind(pooler, database.url));
    try {
      const { url } = await startService({ DATABASE_URL: proxy.url });
      const clients = new Clients(url);
      const writing = new Set<Link>();
      proxy.breakBy({
        onRequest: (link, bytes) => {
          if (bytes.includes('"fingerprint"')) writing.add(link);
          return true;
        },
        // while another write of the connection may be under way
        onAnswer: (link) => {
          const isCut = writing.delete(link) && random() < 0.5;
          if (isCut) link.toService.resetAndDestroy();
          return !isCut;
        },
      });
      await clients.use({ clients: 20, rounds: 100 });
      proxy.breakBy({});
      const rows = await database.query('SELECT name FROM marathon');
      await clients.expectNothingLost(rows.map(({ name }) => String(name)));
    } finally {
      await proxy.close();
      await pooler.stop();
    }
  });

  it('changes the schema and builds indexes past it, at DATABASE_DIRECT_URL', async () => {
    const pooler = await startPooler(process.env.TEST_POSTGRES_SOCKET!);
    try {
      const settings = {
        DATABASE_URL: behind(pooler, database.url),
        DATABASE_DIRECT_URL: `${database.url}&application_name=direct`,
      };
      const { url } = await startService(settings);
      const body = JSON.stringify(aMarathon());
      const headers = { 'Content-Type': 'application/json' };
      expect((await fetch(`${url}/marathon/`, { method: 'POST', headers, body })).status).toBe(201);
      const direct = "SELECT FROM pg_stat_activity WHERE application_name = 'direct'";
      expect(await database.query(direct)).not.toEqual([]);
    } finally {
      await pooler.stop();
    }
  });
});

/** The address of a database through a pooler. */
function behind({ socketFolder }: { socketFolder: string }, databaseUrl: string): string {
  const { pathname } = new URL(databaseUrl.replace('@/', '@x/'));
  return `postgresql://postgres@${pathname}?host=${encodeURIComponent(socketFolder)}`;
}
