import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

/** Debian's package; `.ci/run` installs it. Users need not have it, so without it these tests are skipped. */
const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0;

(isInstalled ? describe : describe.skip)('behind PgBouncer, in transaction mode', () => {
  let running: RunningApp;
  let pooler: Awaited<ReturnType<typeof startPooler>>;

  beforeAll(async () => {
    running = await startApp({}, async (url) => {
      pooler = await startPooler(url);
      return pooler.url;
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

/** Starts PgBouncer in front of a server, as the user of its socket. */
async function startPooler(databaseUrl: string) {
  const { searchParams, pathname } = new URL(databaseUrl.replace('@/', '@x/'));
  const socketFolder = searchParams.get('host')!;
  const { uid, gid } = await stat(socketFolder);
  const folder = await mkdtemp(join(tmpdir(), 'marathon-pgbouncer-'));
  const port = await findFreePort();
  const settings = join(folder, 'pgbouncer.ini');
  await writeFile(
    settings,
    `[databases]
     * = host=${socketFolder} user=postgres
     [pgbouncer]
     listen_addr = 127.0.0.1
     listen_port = ${port}
     unix_socket_dir =
     auth_type = any
     pool_mode = transaction
     default_pool_size = 5`,
  );
  await chown(folder, uid, gid);
  await chown(settings, uid, gid);
  const child = spawn('pgbouncer', [settings], { uid, gid, stdio: ['ignore', 'ignore', 'pipe'] });
  await untilUp(child);
  return {
    url: `postgresql://postgres@127.0.0.1:${port}${pathname}`,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function untilUp(child: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: child.stderr! })) {
    if (line.includes('process up')) {
      child.stderr!.resume();
      return;
    }
  }
  throw new Error('PgBouncer did not start.');
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const closed = once(server, 'close');
  server.close();
  await closed;
  return port;
}
