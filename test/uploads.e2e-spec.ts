import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDatabase, type TestDatabase } from './support/database.js';
import { startService } from './support/service.js';

const MAX_UPLOAD_MB = 2;
const CSV = { 'Content-Type': 'text/csv' };
const ROWS = Buffer.from('Boston\n'.repeat(10_000));

describe('an upload', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => void (database = await createDatabase()));
  afterAll(async () => database.drop());
  beforeEach(
    async () => void (folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER!, 'uploads-'))),
  );
  afterEach(async () => rm(folder, { recursive: true }));

  const start = async (settings: Record<string, string> = {}) =>
    startService({
      DATABASE_URL: database.url,
      MAX_UPLOAD_MB: String(MAX_UPLOAD_MB),
      TMPDIR: folder,
      ...settings,
    });
  const expectNothingStored = async () => {
    expect(await database.query('SELECT 1 FROM marathon')).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  };

  it.each(['text/csv', 'application/x-ndjson', 'application/json'])(
    'of endless %s is rejected at MAX_UPLOAD_MB',
    async (type) => {
      const { url } = await start();
      const sending = upload(url, { 'Content-Type': type });
      sending.write(type === 'application/json' ? '[\n' : 'name\n');
      const answer = await sendUntilAnswered(sending);
      expect(answer).toEqual({ status: 413, detail: expect.stringContaining('larger than 2 MiB') });
      await expectNothingStored();
    },
  );

  it.each(['text/csv', 'application/json'])(
    'of %s that is too large is answered when its client has sent all of it',
    async (type) => {
      const { url } = await start();
      const { hostname, port, host } = new URL(url);
      const socket = connect(Number(port), hostname);
      const size = 8 * 1024 * 1024;
      socket.write(
        `POST /marathon/ HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\n` +
          `Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      );
      const body = Buffer.alloc(size, type === 'text/csv' ? 'name\n' : '{"name":"x"}');
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.write(body, () => resolve());
      });
      socket.write('\r\n0\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toContain('HTTP/1.1 413');
      socket.destroy();
      await expectNothingStored();
    },
  );

  it('with a too large Content-Length is rejected before it is sent', async () => {
    const { url } = await start();
    const sending = upload(url, { 'Content-Length': 3_000_000 });
    sending.flushHeaders();
    expect((await answerTo(sending)).status).toBe(413);
    await expectNothingStored();
  });

  it('of an object that never ends is rejected', async () => {
    const { url } = await start();
    const sending = upload(url, { 'Content-Type': 'application/json' });
    sending.write('{"name":"');
    expect((await sendUntilAnswered(sending)).status).toBe(413);
    await expectNothingStored();
  });

  it('leaves no file if its client disconnects or the service is killed', async () => {
    const { url, pid, stop } = await start();
    for (const isKilled of [false, true]) {
      const sending = upload(url).on('error', () => undefined);
      sending.write('name\n');
      sending.write(ROWS);
      await untilFiles(pid, 1);
      if (isKilled) await stop('SIGKILL');
      sending.destroy();
      if (!isKilled) await untilFiles(pid, 0);
    }
    await expectNothingStored();
  });

  it('is closed if its client leaves while it is imported', async () => {
    const { url, pid } = await start();
    const sending = upload(url, { Prefer: 'tx=rollback' }).on('error', () => undefined);
    sending.write('name\n');
    sending.end(Buffer.concat(Array<Buffer>(25).fill(ROWS)));
    await untilFiles(pid, 1);
    while (!(await isImporting(database)));
    sending.destroy();
    await untilFiles(pid, 0);
    await expectNothingStored();
  });

  describe('that waits for other imports', () => {
    /** One that runs, a hundred that wait, and one too many. */
    const COUNT = 102;
    let lock: pg.Client;
    beforeEach(async () => {
      lock = new pg.Client(database.url);
      await lock.connect();
    });
    afterEach(async () => lock.end());

    /** One import runs at a time, and waits until the lock is released. */
    const startLocked = async () => {
      const service = await start({ DB_POOL_SIZE: '4' });
      await lock.query('BEGIN; LOCK TABLE journal_head');
      return service;
    };
    const release = async () => lock.query('COMMIT');

    it('is discarded when its client leaves', async () => {
      const { url, pid } = await startLocked();
      const first = importOne(url);
      await untilFiles(pid, 1);
      const leaving = new AbortController();
      const second = importOne(url, leaving.signal);
      await untilFiles(pid, 2);
      leaving.abort();
      await expect(second).rejects.toThrow('aborted');
      await untilFiles(pid, 1);
      await release();
      expect((await first).status).toBe(201);
    });

    it('is refused if a hundred wait already', async () => {
      const { url } = await startLocked();
      const imports = Array.from({ length: COUNT }, async () => importOne(url));
      const refused = await Promise.race(imports);
      expect(refused.headers.get('retry-after')).toBe('2');
      expect(await refused.json()).toMatchObject({ code: 'too_many_imports', status: 503 });
      await release();
      const statuses = (await Promise.all(imports)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(COUNT - 1);
    });
  });

  it.each([
    ['POST', '/nowhere', 'text/csv', 'name\nBoston\n', 404],
    ['POST', '/nowhere', 'application/json', '[{"name":"Boston"}]', 404],
    ['POST', '/nowhere', 'application/json', '{"name":', 404],
    ['POST', '/marathon/1', 'text/csv', 'name\nBoston\n', 405],
    ['PUT', '/marathon/', 'application/x-ndjson', '{"name":"Boston"}\n', 405],
    ['POST', '/marathon/?limit=x', 'text/csv', 'name\nBoston\n', 400],
    ['POST', '/marathon/', 'text/csv', 'nome\nBoston\n', 400],
  ])('that is refused leaves no file: %s %s %s %j', async (method, path, type, body, status) => {
    const { url, pid } = await start();
    const sent = { method, headers: { 'Content-Type': type }, body };
    const answer = await fetch(url + path, sent);
    expect(answer.status).toBe(status);
    await untilFiles(pid, 0);
    await expectNothingStored();
  });

  it('to an unknown address is not received', async () => {
    const { url, pid } = await start();
    const sending = request(`${url}/nowhere`, { method: 'POST', headers: CSV });
    sending.on('error', () => undefined).write(ROWS);
    const [{ statusCode }] = (await once(sending, 'response')) as [IncomingMessage];
    expect(statusCode).toBe(404);
    await untilFiles(pid, 0);
    sending.destroy();
  });

  it('of an earlier process is removed at the start', async () => {
    const [old, fresh] = ['marathon-upload-old', 'marathon-upload-fresh'];
    for (const name of [old, fresh]) await writeFile(join(folder, name), 'name\n');
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(folder, old), hourAgo, hourAgo);
    await start();
    expect(await readdir(folder)).toEqual([fresh]);
  });

  // only root can mount a disk, and not in every container
  const disk = join(process.env.TEST_RUN_FOLDER!, 'small-disk');
  const canMount = mount(disk);
  // here, because it is mounted also if this test is not chosen
  afterAll(() => void spawnSync('umount', [disk]));
  (canMount ? it : it.skip)(
    'that does not fit on the disk is rejected, and leaves no file',
    async () => {
      const { url } = await start({ TMPDIR: disk });
      const sending = upload(url);
      sending.write('name\n');
      const answer = await sendUntilAnswered(sending);
      expect(answer).toEqual({ status: 507, detail: expect.stringContaining('disk is full') });
      expect(await readdir(disk)).toEqual([]);
      await expectNothingStored();
      const sent = { method: 'POST', headers: CSV, body: 'name\nBoston\n' };
      expect((await fetch(`${url}/marathon/`, sent)).status).toBe(201);
    },
  );
});

/** Resolves when `count` unlinked files are open; immediately if that cannot be observed. */
async function untilFiles(pid: number, count: number): Promise<void> {
  const folder = `/proc/${pid}/fd`;
  if (!existsSync(folder)) return;
  const isUpload = async (name: string) => {
    const target = await readlink(join(folder, name)).catch(() => '');
    return target.includes('marathon-upload') && target.endsWith('(deleted)');
  };
  const openFiles = async () =>
    (await Promise.all((await readdir(folder)).map(isUpload))).filter(Boolean).length;
  while ((await openFiles()) !== count);
}

async function isImporting(database: TestDatabase): Promise<boolean> {
  const copying = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND state = 'active' AND query LIKE '%COPY%FROM STDIN%' AND pid <> pg_backend_pid()`;
  return (await database.query(copying)).length > 0;
}

/** Mounts a disk of one MiB. */
function mount(folder: string): boolean {
  spawnSync('mkdir', ['-p', folder]);
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
}

function upload(url: string, headers = {}): ClientRequest {
  return request(`${url}/marathon/`, {
    method: 'POST',
    headers: { ...CSV, ...headers },
  });
}

async function importOne(url: string, signal?: AbortSignal) {
  const headers = { ...CSV, Prefer: 'tx=rollback' };
  const sent = { method: 'POST', headers, body: 'name\nBoston\n', signal };
  return fetch(`${url}/marathon/`, sent);
}

/** Sends endless rows. */
async function sendUntilAnswered(sending: ClientRequest) {
  const answered = new AbortController();
  const answer = answerTo(sending).finally(() => answered.abort());
  const over = once(answered.signal, 'abort');
  while (!answered.signal.aborted) {
    if (!sending.write(ROWS)) await Promise.race([once(sending, 'drain'), over]);
  }
  sending.destroy();
  return answer;
}

async function answerTo(sending: ClientRequest) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    // after its answer the service may close the connection while rows are sent
    sending.once('response', resolve).on('error', reject);
  });
  let text = '';
  for await (const bytes of answer) text += String(bytes);
  return { status: answer.statusCode, detail: (JSON.parse(text) as { detail: string }).detail };
}
