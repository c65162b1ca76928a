import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { childrenOf, withoutFiles } from './support/child-processes.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { findFreePorts } from './support/free-ports.js';
import { listen } from './support/listen.js';
import { isInstalled } from './support/programs.js';
import { runProgram, startService } from './support/service.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

const CONNECTIONS =
  'SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';

interface Line {
  pid: number;
  message: string;
}

describe('several workers', () => {
  let database: TestDatabase;
  let workers: Workers;
  beforeAll(async () => void (database = await createDatabase()));
  afterAll(async () => database.drop());
  beforeEach(async () => void (workers = await startWorkers(database)));

  const create = async (headers = {}) =>
    workers.send('/marathon/', {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify(aMarathon()),
    });

  it('see what each of them wrote', async () => {
    for (let count = 0; count < 10; count += 1) {
      const { headers } = await create();
      const read = await workers.send(headers.get('location')!);
      expect(read.status).toBe(200);
      const changed = await workers.send(headers.get('location')!, {
        method: 'PATCH',
        headers: { ...JSON_TYPE, 'If-Match': read.headers.get('etag')! },
        body: '{"city":"Rome"}',
      });
      expect(changed.status).toBe(200);
    }
  });

  it('do a write once for one Idempotency-Key', async () => {
    const key = { 'Idempotency-Key': `"${crypto.randomUUID()}"` };
    const answers = await Promise.all(Array.from({ length: 8 }, async () => create(key)));
    const ids = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as { id: number }).id),
    );
    expect(new Set(ids).size).toBe(1);
  });

  it('tell the changes of each other to who follows them', async () => {
    const page = (await (await workers.send('/marathon/changes')).json()) as { changes: unknown[] };
    const listening = listen(
      `${workers.service.url}/marathon/changes?since=${page.changes.length}`,
    );
    const names = Array.from({ length: 4 }, () => crypto.randomUUID());
    const writing = async () => {
      for (const name of names) {
        const body = JSON.stringify({ name });
        await workers.send('/marathon/', { method: 'POST', headers: JSON_TYPE, body });
      }
    };
    const written = writing();
    const heard: (string | null)[] = [];
    for await (const { marathon } of listening) {
      heard.push(marathon.name);
      if (heard.length === names.length) break;
    }
    await written;
    expect(heard).toEqual(names);
  });

  it('add up their metrics', async () => {
    const before = await countRequests(workers);
    for (let count = 0; count < 20; count += 1) await workers.send('/marathon/1/history');
    expect(await countRequests(workers)).toBe(before + 20);
  });

  it('are replaced when they die', async () => {
    const [first] = await workers.untilReady();
    process.kill(first!, 'SIGKILL');
    await workers.untilMessage(/is replaced/);
    expect(await workers.untilReady()).not.toContain(first);
  });

  // macOS cannot change the limits of another process
  (isInstalled('prlimit') ? it : it.skip)('are replaced later if none can be started', async () => {
    const [first] = await workers.untilReady();
    await withoutFiles(workers.service.pid, async () => {
      process.kill(first!, 'SIGKILL');
      await workers.untilMessage(/EMFILE\) and is replaced/);
    });
    expect(await workers.untilReady()).not.toContain(first);
  });

  it('that are killed with a connection which they did not accept leave no client without an end', async () => {
    const pids = await workers.untilReady();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    // the first two are given to a worker each, and the others wait
    const ended = (await openSixRequests(workers.service.url)).map(untilClosed);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all(ended);
  });

  it('that end give the connections which they did not accept to the others', async () => {
    const { pid: primary, url } = workers.service;
    const [leaving, staying] = await workers.untilReady();
    try {
      // it accepts nothing either, so that the one that leaves is the next to be given a connection
      process.kill(staying!, 'SIGSTOP');
      const answers = [openRequest(url), openRequest(url)].map(async (opened) =>
        isAnswered(await opened),
      );
      await Promise.race(answers);
      process.kill(primary, 'SIGSTOP');
      answers.push(isAnswered(await openRequest(url)));
      const { length: before } = await database.query(CONNECTIONS);
      process.kill(leaving!, 'SIGTERM');
      // those to the database are closed last
      while ((await database.query(CONNECTIONS)).length >= before);
      process.kill(primary, 'SIGCONT');
      process.kill(staying!, 'SIGCONT');
      expect(await Promise.all(answers)).toEqual([true, true, true]);
    } finally {
      for (const pid of [primary, staying!]) process.kill(pid, 'SIGCONT');
    }
  });

  it('that all end answer the connections that wait for them', async () => {
    const { pid: primary, url } = workers.service;
    const idle = [await openIdle(url), await openIdle(url)];
    // the primary process gives a worker the next connection when it has closed its own copy of the one before
    const pids = await workers.untilReady('/marathon/changes');
    try {
      process.kill(primary, 'SIGSTOP');
      const answers = (await openSixRequests(url)).map(isAnswered);
      for (const pid of pids) process.kill(pid, 'SIGTERM');
      // the workers close them when they have nothing left to answer
      await Promise.all(idle.map(untilClosed));
      process.kill(primary, 'SIGCONT');
      expect(await Promise.all(answers)).toEqual(answers.map(() => true));
    } finally {
      process.kill(primary, 'SIGCONT');
    }
  });

  it('that do not wait for the primary process leave no client without an end', async () => {
    const { pid: primary, url } = workers.service;
    const pids = await workers.untilReady();
    try {
      process.kill(primary, 'SIGSTOP');
      const ended = (await openSixRequests(url)).map(untilClosed);
      for (const pid of pids) process.kill(pid, 'SIGTERM');
      // those to the database are closed last
      while ((await database.query(CONNECTIONS)).length);
      process.kill(primary, 'SIGCONT');
      await Promise.all(ended);
    } finally {
      process.kill(primary, 'SIGCONT');
    }
  });

  it('are as many as before after a restart whose new worker dies', async () => {
    const { pid: primary } = workers.service;
    const before = await workers.untilReady();
    process.kill(primary, 'SIGHUP');
    process.kill(await untilAnother(primary, before), 'SIGKILL');
    await workers.untilMessage(/^A new worker was not ready/);
    process.kill(primary, 'SIGHUP');
    await workers.untilMessage(/^All workers were restarted$/);
    expect(await childrenOf(primary)).toHaveLength(2);
  });

  it('are restarted one after another at SIGHUP, and fail no request', async () => {
    const before = await workers.untilReady();
    const over = new AbortController();
    const asking = askUntil(over.signal, workers);
    process.kill(workers.service.pid, 'SIGHUP');
    await workers.untilMessage(/^All workers were restarted$/);
    over.abort();
    expect(await asking).toEqual([]);
    const after = await workers.untilReady();
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });
});

describe('workers with other settings', () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createDatabase()));
  afterAll(async () => database.drop());

  it('count the requests of a client together', async () => {
    const { send } = await startWorkers(database, { REQUESTS_PER_MINUTE_PER_ADDRESS: '300' });
    const statuses: number[] = [];
    for (let count = 0; count < 500; count += 1) statuses.push((await send('/marathon/1')).status);
    const answered = statuses.filter((status) => status !== 429).length;
    // what is sent within a tenth of a second may exceed the limit; two that count alone would answer all
    expect(answered).toBeGreaterThan(200);
    expect(answered).toBeLessThan(450);
    expect(statuses.at(-1)).toBe(429);
  });

  it('are replaced without a longer delay when none is left', async () => {
    const [port] = await findFreePorts(1);
    const { untilMessage, untilReady } = await startWorkers(database, { PORT: String(port) });
    for (const delay of [/ in 200 ms$/, / in 400 ms$/]) {
      process.kill((await untilReady())[0]!, 'SIGKILL');
      await untilMessage(delay);
    }
    for (const pid of await untilReady()) process.kill(pid, 'SIGKILL');
    await untilMessage(/ in 100 ms$/);
    await untilReady();
  });

  it('refuse a key that one of them revoked', async () => {
    const { output } = await runProgram(
      'cli.js',
      ['key', 'create', '--role', 'admin', '--name', 'Club'],
      { DATABASE_URL: database.url },
    );
    const { send } = await startWorkers(database, { ACCESS: 'keys' });
    const headers = { Authorization: `Bearer ${output.trim()}` };
    const ask = async () => (await send('/marathon/', { headers })).status;
    expect([await ask(), await ask()]).toEqual([200, 200]);
    expect((await send('/keys/1', { method: 'DELETE', headers })).status).toBe(204);
    const revokedAt = Date.now();
    while ((await ask()) === 200) expect(Date.now()).toBeLessThan(revokedAt + 5000);
    // the other one within a second too, whichever answers
    while (Date.now() < revokedAt + 1000) await ask();
    expect([await ask(), await ask(), await ask()]).toEqual([401, 401, 401]);
  });

  it('end together', async () => {
    const { service, untilReady } = await startWorkers(database);
    const pids = await untilReady();
    const { exitCode } = await service.stop();
    expect(exitCode).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('end when the primary process is killed', async () => {
    const { service, untilReady } = await startWorkers(database);
    const pids = await untilReady();
    await service.stop('SIGKILL');
    for (const pid of pids) await untilEnded(pid);
  });

  it('say why they cannot start, and do not try for ever', async () => {
    const empty = await createDatabase();
    try {
      const settings = { DATABASE_URL: empty.url, WORKERS: '2', PORT: '0', DB_SCHEMA: 'check' };
      const { exitCode, stderr } = await runProgram('main.js', [], settings);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('schema sync');
    } finally {
      await empty.drop();
    }
  });

  it('share an embedded server, which outlives them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'marathon-workers-'));
    try {
      const [port] = await findFreePorts(1);
      const settings = { DATA_DIR: folder, PORT: String(port) };
      const { service, send, untilReady, untilMessage } = await startWorkers(undefined, settings);
      const body = JSON.stringify(aMarathon());
      await send('/marathon/', { method: 'POST', headers: JSON_TYPE, body });
      for (const pid of await untilReady()) process.kill(pid, 'SIGKILL');
      await untilMessage(/is replaced/);
      await untilReady();
      expect((await send('/marathon/1')).status).toBe(200);
      expect((await service.stop()).exitCode).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

type Workers = Awaited<ReturnType<typeof startWorkers>>;

/** Starts the service with two workers, and waits until both answer. */
async function startWorkers(database?: TestDatabase, settings: Record<string, string> = {}) {
  const url = database && { DATABASE_URL: database.url };
  const service = await startService({ ...url, WORKERS: '2', ...settings });
  const lines: Line[] = [];
  createInterface({ input: service.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Line);
  });
  /** Each request has a connection of its own, so that the workers answer in turn. */
  const send = async (path: string, options: RequestInit = {}) => {
    const headers = { ...(options.headers as Record<string, string>), Connection: 'close' };
    const signal = AbortSignal.timeout(5000);
    return fetch(`${service.url}${path}`, { signal, ...options, headers });
  };
  const untilMessage = async (pattern: RegExp) => {
    while (!lines.some(({ message }) => pattern.test(message))) await once(service.stdout, 'data');
  };
  /**
   * Waits until two workers answer new requests. Returns their process ids. The log may be late: if the requests must be
   * newer than something else, `path` is one that was not requested before.
   */
  const untilReady = async (path = '/health/ready') => {
    const from = lines.length;
    for (;;) {
      // a worker that was killed may have been about to answer
      await send(path).catch(() => undefined);
      const answers = lines.slice(from).filter(({ message }) => message === `GET ${path} 200`);
      const pids = [...new Set(answers.map(({ pid }) => pid))];
      if (pids.length === 2) return pids;
    }
  };
  await untilReady();
  return { service, send, untilReady, untilMessage };
}

/** The number of requests for histories, by the metrics. */
async function countRequests({ send }: Workers): Promise<number> {
  const text = await (await send('/metrics')).text();
  const counts = text.matchAll(
    /^http_request_duration_seconds_count\{.*route="\/marathon\/:id\/history".*\} (\d+)/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Sends requests all the time, and returns the failures. */
async function askUntil(over: AbortSignal, { send }: Workers): Promise<string[]> {
  const failures: string[] = [];
  const ask = async () => {
    while (!over.aborted) {
      const status = await send('/marathon/').then(
        (answer) => String(answer.status),
        (error: Error) => `${error.message}: ${String(error.cause)}`,
      );
      if (status !== '200') failures.push(status);
    }
  };
  await Promise.all([ask(), ask(), ask(), ask()]);
  return failures;
}

/** Sends a request on a connection of its own, which ends with the answer, unless it is kept alive, or with the worker. */
async function openRequest(url: string, connection = 'close'): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy()).resume();
  await once(socket, 'connect', { signal: soon() });
  socket.write(
    `GET /health/live HTTP/1.1\r\nHost: ${hostname}\r\nConnection: ${connection}\r\n\r\n`,
  );
  return socket;
}

async function openSixRequests(url: string): Promise<Socket[]> {
  return Promise.all(Array.from({ length: 6 }, async () => openRequest(url)));
}

/** Opens a connection whose first request was answered. */
async function openIdle(url: string): Promise<Socket> {
  const socket = await openRequest(url, 'keep-alive');
  if (!socket.bytesRead) await once(socket, 'data', { signal: soon() });
  return socket;
}

/** Resolves when a connection is closed, by an error too. */
async function untilClosed(socket: Socket): Promise<void> {
  const signal = soon();
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => resolve());
    signal.addEventListener('abort', () => reject(new Error('The connection stays open.')));
  });
}

/** Resolves to whether a request was answered, when its connection is closed. */
async function isAnswered(socket: Socket): Promise<boolean> {
  await untilClosed(socket);
  return socket.bytesRead > 0;
}

function soon(): AbortSignal {
  return AbortSignal.timeout(10_000);
}

/** Resolves to a child of a process that is none of the known ones. */
async function untilAnother(pid: number, known: number[]): Promise<number> {
  for (;;) {
    const another = (await childrenOf(pid)).find((child) => !known.includes(child));
    if (another !== undefined) return another;
  }
}

/** Resolves when a process is gone. */
async function untilEnded(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
