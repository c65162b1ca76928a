import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { EmbeddedServer } from '../../src/database/embedded-server.js';
import { aMarathon } from '../support/a-marathon.js';
import { Clients } from '../support/outcome.js';
import { startService } from '../support/service.js';

const CLIENTS = 30;

type Service = Awaited<ReturnType<typeof startService>>;

describe('a server that goes and comes back', () => {
  let folder: string;
  let server: EmbeddedServer;
  let service: Service;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    folder = await mkdtemp(join(tmpdir(), 'marathon-faults-'));
    server = new EmbeddedServer(join(folder, 'data'), socketFolder());
    await server.start();
    await sql(`ALTER SYSTEM SET idle_session_timeout = '2s'`);
    await sql('SELECT pg_reload_conf()');
  });
  beforeEach(async () => {
    service = await start();
    await sql('TRUNCATE marathon');
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Beside the folder, because whom the server runs as may not be let into it. */
  const socketFolder = () => `${folder}-socket`;
  const url = () => `postgresql://postgres@/postgres?host=${encodeURIComponent(socketFolder())}`;
  const start = async (settings = {}) =>
    startService({ DATABASE_URL: url(), DB_RECYCLE_SECONDS: '1', ...settings });
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client(url());
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const serverPid = async () => {
    const file = join(folder, 'data', 'postgresql-18', 'postmaster.pid');
    return Number((await readFile(file, 'utf8')).split('\n')[0]);
  };
  const isUp = async () => {
    const socket = connect(join(socketFolder(), '.s.PGSQL.5432'));
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };

  /** Reads and writes from many clients while `harm` is done, and a moment on. Nothing may fail. */
  const useItDuring = async (harm: () => Promise<void>) => {
    const harming = new AbortController();
    const clients = new Clients();
    const use = async (client: number) => {
      for (let round = 0; !harming.signal.aborted; round += 1) {
        await clients.writeAndRead(
          `${client}/${round}`,
          async (name) => post(service.url, name),
          async () => list(service.url),
        );
      }
    };
    const using = Promise.all(Array.from({ length: CLIENTS }, async (_, client) => use(client)));
    await wait(300);
    await harm();
    await wait(300);
    harming.abort();
    await using;
    const rows = await sql('SELECT name FROM marathon');
    await clients.mustHaveLostNothing(rows.map(({ name }) => String(name)));
  };

  const restartWith = async (signal: NodeJS.Signals) => {
    const pid = await serverPid();
    process.kill(pid, signal);
    while ((await serverPid().catch(() => pid)) === pid || !(await isUp())) await wait(20);
  };

  it.each([
    ['fast', 'SIGINT'],
    ['at once', 'SIGQUIT'],
    ['by force', 'SIGKILL'],
  ] as const)('may be restarted %s under load', async (_, signal) => {
    await useItDuring(async () => restartWith(signal));
  });

  it('may lose the process of a connection, and with it for a moment all', async () => {
    await useItDuring(async () => {
      const [backend] = await sql(`SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1`);
      process.kill(Number(backend!.pid), 'SIGKILL');
    });
  });

  it('may be away for seconds, as one that starts cold', async () => {
    await useItDuring(async () => {
      await server.stop();
      await wait(3000);
      await server.start();
    });
  });

  it('may hang up while the service is frozen', async () => {
    expect(await list(service.url)).toBe(200);
    process.kill(service.pid, 'SIGSTOP');
    await wait(2500);
    process.kill(service.pid, 'SIGCONT');
    expect(await Promise.all(Array.from({ length: 20 }, async () => list(service.url)))).toEqual(
      Array.from({ length: 20 }, () => 200),
    );
  });

  it('may be away when the service starts, which listens and waits', async () => {
    await server.stop();
    const early = await startService({ DATABASE_URL: url() }, {}, /Listening at (http:[^"\s]+)/);
    expect((await fetch(`${early.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${early.url}/health/ready`)).status).toBe(503);
    const waiting = list(early.url);
    await server.start();
    expect(await waiting).toBe(200);
    expect((await fetch(`${early.url}/health/ready`)).status).toBe(200);
    expect((await early.stop()).exitCode).toBe(0);
  });

  it('need not come back for a service that is told to stop', async () => {
    await server.stop();
    const early = await startService({ DATABASE_URL: url() }, {}, /Listening at (http:[^"\s]+)/);
    expect((await early.stop()).exitCode).toBe(0);
    await server.start();
  });

  it('answers all that is in flight when the service is told to stop under load', async () => {
    const other = await start();
    const statuses: number[] = [];
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let round = 0; ; round += 1) {
        const status = await post(other.url, `${client}/${round}`).catch(() => 0);
        if (!status) return;
        statuses.push(status);
      }
    });
    await wait(300);
    const { exitCode } = await other.stop();
    await Promise.all(clients);
    expect(exitCode).toBe(0);
    expect(new Set(statuses)).toEqual(new Set([201]));
    expect((await sql('SELECT count(*)::integer AS count FROM marathon'))[0]!.count).toBe(
      statuses.length,
    );
  });

  it.each([
    ['a database that does not exist', 'postgres?', 'nowhere?', 'does not exist'],
    ['a user that it does not know', 'postgres@', 'nobody@', 'refused this user'],
  ])('ends the start at once for %s', async (_, known, unknown, reason) => {
    const DATABASE_URL = url().replace(known, unknown);
    await expect(startService({ DATABASE_URL })).rejects.toThrow(reason);
  });
});

async function post(url: string, name: string): Promise<number> {
  const answer = await fetch(`${url}/marathon/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(aMarathon({ name })),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function list(url: string): Promise<number> {
  const answer = await fetch(`${url}/marathon/`);
  await answer.arrayBuffer();
  return answer.status;
}
