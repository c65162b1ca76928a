import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { listen } from './support/listen.js';
import { runProgram, startService } from './support/service.js';

const CLUSTER = 'postgresql-18';
const TYPEORM = '../../node_modules/typeorm/cli.js';
const NOBODY = { uid: 65_534, gid: 65_534 };

describe('the embedded PostgreSQL', () => {
  let folder: string;
  beforeEach(async () => {
    // in the folder of the run, so that an interrupted run removes it
    folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER ?? tmpdir(), 'embedded-'));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  const start = async (options = {}, DATA_DIR = join(folder, 'data')) =>
    startService({ DATA_DIR }, options);

  const serverPid = async () =>
    Number(
      (await readFile(join(folder, 'data', CLUSTER, 'postmaster.pid'), 'utf8')).split('\n')[0],
    );

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with %s, with exit code 0 and no process left, and keeps its data',
    async (signal) => {
      const first = await start();
      await post(first.url, 'Kept');
      const pid = await serverPid();
      const { exitCode } = await first.stop(signal);
      expect(exitCode).toBe(0);
      expect(isRunning(pid)).toBe(false);
      const second = await start();
      expect(await names(second.url)).toEqual(['Kept']);
      await second.stop();
    },
  );

  it('is started by the command line of TypeORM', async () => {
    const words = ['migration:show', '-d', 'dist/ormconfig.js'];
    const settings = { DATA_DIR: join(folder, 'data') };
    const { output } = await runProgram(TYPEORM, words, settings);
    expect(output).toContain('[ ] CreateJournal');
  });

  it('is restarted after the service was killed, without a second server', async () => {
    const first = await start();
    await post(first.url, 'Kept');
    const orphan = await serverPid();
    await first.stop('SIGKILL');
    const second = await start();
    expect(await names(second.url)).toEqual(['Kept']);
    await untilGone(orphan);
    await second.stop();
  });

  it('is restarted after it was killed while the service runs', async () => {
    const service = await start();
    await post(service.url, 'Kept');
    const killed = await serverPid();
    process.kill(killed, 'SIGKILL');
    await untilPassed(async () => {
      // before that, processes of the killed server may still answer
      expect(await serverPid()).not.toBe(killed);
      expect(await names(service.url)).toEqual(['Kept']);
    });
    expect((await service.stop()).exitCode).toBe(0);
  });

  it('runs twice, for two services with two folders', async () => {
    const [here, there] = await Promise.all([start(), start({}, join(folder, 'other'))]);
    await post(here.url, 'Here');
    await post(there.url, 'There');
    expect(await names(here.url)).toEqual(['Here']);
    expect(await names(there.url)).toEqual(['There']);
    await Promise.all([here.stop(), there.stop()]);
  });

  it('is shared with the command line while the service runs', async () => {
    const service = await start();
    await post(service.url, 'Boston Marathon');
    const exported = await runProgram('cli.js', ['export'], { DATA_DIR: join(folder, 'data') });
    expect(exported.output).toBe('id,name,city,inception_year\n1,Boston Marathon,Boston,1897\n');
    expect(await names(service.url)).toEqual(['Boston Marathon']);
    await service.stop();
  });

  it('starts again after its first start was killed', async () => {
    await mkdir(join(folder, 'data', `${CLUSTER}.unfinished`, 'base'), { recursive: true });
    const service = await start();
    expect(await names(service.url)).toEqual([]);
    await service.stop();
  });

  // only root can change the user, who may lack access to a clone in root's home
  const asNobody = spawnSync(process.execPath, ['--check', 'dist/src/main.js'], NOBODY);
  const asRoot = process.getuid?.() === 0 && asNobody.status === 0 ? it : it.skip;

  asRoot('serves an ordinary user as it serves root', async () => {
    await chown(folder, NOBODY.uid, NOBODY.gid);
    await chmod(folder, 0o755);
    const service = await start({ ...NOBODY, cwd: folder });
    await post(service.url, 'Kept');
    expect(await names(service.url)).toEqual(['Kept']);
    expect((await service.stop()).exitCode).toBe(0);
  });

  it('answers a request in flight at SIGTERM', async () => {
    const service = await start();
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify(aMarathon());
    const head = `POST /marathon/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body.slice(0, 10));
    await once(socket, 'connect');
    await fetch(`${service.url}/marathon/`);
    const stopped = service.stop();
    socket.write(body.slice(10));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 201 /);
    expect((await stopped).exitCode).toBe(0);
  });

  it('does not wait for a disconnected listener', async () => {
    const service = await start();
    const changes = listen(`${service.url}/marathon/changes?since=0`);
    const heard = changes.next();
    await post(service.url, 'Heard');
    await heard;
    const posts = Array.from({ length: 5 }, async () => post(service.url, 'Not heard'));
    const unheard = Promise.allSettled(posts);
    await changes.return(undefined);
    expect((await service.stop()).exitCode).toBe(0);
    await unheard;
  });
});

const post = async (url: string, name: string) =>
  fetch(`${url}/marathon/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(aMarathon({ name })),
  });

const names = async (url: string) => {
  const { marathon_list } = (await (await fetch(`${url}/marathon/`)).json()) as {
    marathon_list: { name: string }[];
  };
  return marathon_list.map(({ name }) => name);
};

async function untilPassed(check: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await wait(10);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
