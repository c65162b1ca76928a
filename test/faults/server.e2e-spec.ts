import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { Clients } from '../support/clients.js';
import { startOwnServer } from '../support/own-server.js';
import { untilSent } from '../support/sent-requests.js';
import { startService } from '../support/service.js';

const CLIENTS = 30;
const JSON_POST = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(aMarathon()),
};

/** Connections are replaced constantly: one that was listed may have been closed already. */
function isKilled(pid: number) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

describe('an unavailable server', () => {
  let server: Awaited<ReturnType<typeof startOwnServer>>;
  let service: Awaited<ReturnType<typeof startService>>;

  beforeAll(async () => {
    server = await startOwnServer();
    await server.query(`ALTER SYSTEM SET idle_session_timeout = '2s'`);
    await server.query('SELECT pg_reload_conf()');
  });
  beforeEach(async () => {
    service = await start();
    await server.query('DELETE FROM marathon');
  });
  afterAll(async () => server.close());

  const start = async (settings = {}) =>
    startService({ DATABASE_URL: server.url, DB_RECYCLE_SECONDS: '1', ...settings });
  const storedNames = async () => {
    const rows = await server.query('SELECT name FROM marathon');
    return rows.map(({ name }) => String(name));
  };

  /** Reads and writes with many clients during `cause`, and a second before and after. Nothing may fail. */
  const useItDuring = async (cause: (clients: Clients) => Promise<void>, limits = {}) => {
    const harming = new AbortController();
    const clients = new Clients(service.url);
    const using = clients.use({ clients: CLIENTS, until: harming.signal });
    await wait(1000);
    await cause(clients);
    await wait(1000);
    harming.abort();
    await using;
    await clients.expectNothingLost(await storedNames(), limits);
  };

  it.each([
    ['5', 'fast', 'SIGINT'],
    ['6', 'at once', 'SIGQUIT'],
    ['6', 'by force', 'SIGKILL'],
  ] as const)('%s: may be restarted %s under load', async (_, __, signal) => {
    const restart = async (clients: Clients) => {
      await server.restart(signal);
      clients.noteRecovery();
    };
    await useItDuring(restart, { recoveredMs: 300 });
  });

  it('7: loses one process, and with it all connections for a moment', async () => {
    await useItDuring(async () => {
      const backends = await server.query(`SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`);
      expect(backends.some(({ pid }) => isKilled(Number(pid)))).toBe(true);
    });
  });

  it('8: is unavailable for five seconds, like a cold start', async () => {
    const limits = { slowestMs: 0 };
    const sleep = async (clients: Clients) => {
      const stoppedAt = Date.now();
      await server.stop();
      await wait(5000);
      await server.start();
      clients.noteRecovery();
      limits.slowestMs = Date.now() - stoppedAt + 1000;
    };
    await useItDuring(sleep, limits);
  });

  it('9: is unavailable past the deadline: all requests get 503 with Retry-After', async () => {
    const DB_DEADLINE_MS = 2000;
    const patient = await start({ DB_DEADLINE_MS: String(DB_DEADLINE_MS) });
    const clients = new Clients(patient.url);
    await clients.use({ clients: CLIENTS, rounds: 1 });
    await server.stop();
    const pending = Array.from({ length: 100 }, async (_, client) =>
      client % 2 ? clients.ask(503) : clients.ask(503, '', JSON_POST),
    );
    for (const text of await Promise.all(pending)) {
      expect(JSON.parse(text!).type).toBe('/problems/database-unavailable');
    }
    const { headers } = await fetch(`${patient.url}/marathon/`);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    await server.start();
    clients.noteRecovery();
    await clients.ask(200);
    const limits = { slowestMs: DB_DEADLINE_MS + 500, recoveredMs: 1000 };
    await clients.expectNothingLost(await storedNames(), limits);
  });

  it('15: closes connections while the service is suspended', async () => {
    const clients = new Clients(service.url);
    await clients.use({ clients: CLIENTS, rounds: 2 });
    process.kill(service.pid, 'SIGSTOP');
    await wait(2500);
    process.kill(service.pid, 'SIGCONT');
    await clients.use({ clients: CLIENTS, rounds: 2 });
    await clients.expectNothingLost(await storedNames());
  });

  it('15: has no partial writes after SIGTERM under load', async () => {
    const other = await start();
    const statuses: number[] = [];
    const post = async () => {
      const { status } = await fetch(`${other.url}/marathon/`, JSON_POST);
      statuses.push(status);
    };
    const postUntilItEnds = async (): Promise<unknown> => post().then(postUntilItEnds, String);
    const posting = Promise.all(Array.from({ length: CLIENTS }, postUntilItEnds));
    await wait(300);
    const { exitCode } = await other.stop();
    await posting;
    expect(exitCode).toBe(0);
    expect(new Set(statuses)).toEqual(new Set([201]));
    expect(await storedNames()).toHaveLength(statuses.length);
  });

  it('16: is unavailable when eight instances start, which listen and wait', async () => {
    await server.stop();
    const early = await Promise.all(
      Array.from({ length: 8 }, async () =>
        startService({ DATABASE_URL: server.url }, {}, /Listening at (http:[^"\s]+)/),
      ),
    );
    for (const { url: at } of early) {
      expect((await fetch(`${at}/health/live`)).status).toBe(200);
      expect((await fetch(`${at}/health/ready`)).status).toBe(503);
    }
    const waiting = early.map(async (one) => new Clients(one.url).ask(200));
    await server.start();
    expect(await Promise.all(waiting)).not.toContain(undefined);
    for (const { url: at } of early) {
      expect((await fetch(`${at}/health/ready`)).status).toBe(200);
    }
    const ends = await Promise.all(early.map(async ({ stop }) => stop()));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(ends.map(() => 0));
  });

  describe('when the service started without it, and is stopped', () => {
    let early: Awaited<ReturnType<typeof startService>>;
    beforeEach(async () => {
      await server.stop();
      const listening = /Listening at (http:[^"\s]+)/;
      early = await startService({ DATABASE_URL: server.url }, {}, listening);
    });
    /** A read and a write, which are on their way when this resolves. */
    const ask = async (read: number, written: number) => {
      const clients = new Clients(early.url);
      const sent = untilSent(2);
      const answers = Promise.all([clients.ask(read), clients.ask(written, '', JSON_POST)]);
      await sent;
      return { answers };
    };

    it('does not delay the shutdown', async () => {
      const { exitCode, output } = await early.stop();
      await server.start();
      expect(exitCode).toBe(0);
      expect(output).not.toContain('Documentation:');
    });

    it('is waited for, and requests that wait get 503 if it stays away', async () => {
      const { answers } = await ask(503, 503);
      const { exitCode } = await early.stop();
      await server.start();
      expect(await answers).not.toContain(undefined);
      expect(exitCode).toBe(0);
    });

    it('is waited for, and requests that wait are answered if it comes back', async () => {
      const { answers } = await ask(200, 201);
      const stopped = early.stop();
      await server.start();
      expect(await answers).not.toContain(undefined);
      expect((await stopped).exitCode).toBe(0);
    });
  });

  it.each([
    ['a database that does not exist', 'postgres?', 'nowhere?', 'does not exist'],
    ['a user that it does not know', 'postgres@', 'nobody@', 'rejected the user'],
  ])('ends the start immediately for %s', async (_, known, unknown, reason) => {
    const DATABASE_URL = server.url.replace(known, unknown);
    await expect(startService({ DATABASE_URL })).rejects.toThrow(reason);
  });
});
