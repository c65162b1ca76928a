import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EPOCH_LENGTH } from '../../src/journal/epoch.js';
import type { ChangeResponse } from '../../src/marathon/marathon.dto.js';
import { aMarathon } from '../support/a-marathon.js';
import { holdLaws, writeFor, type Written } from '../support/laws.js';
import { listen } from '../support/listen.js';
import {
  startReplicatedServers,
  untilEqual,
  type ReplicatedServer,
} from '../support/replicated-servers.js';
import { startService } from '../support/service.js';
import { untilMore, type Writers } from '../support/writers.js';

/** With `FAILOVERS=20`, for `docs/scale.md`. */
const FAILOVERS = Number(process.env.FAILOVERS ?? 2);
const MAX_SECONDS_EACH = 30;
const JSON_TYPE = { 'Content-Type': 'application/json' };

type Servers = Awaited<ReturnType<typeof startReplicatedServers>>;

describe('the journal, while the primary is killed and its synchronous standby is promoted', () => {
  let servers: Servers;
  let written: Written;
  const outagesMs: number[] = [];

  beforeAll(
    async () => {
      servers = await startReplicatedServers(1);
      const { url, stop } = await startService({ DATABASE_URL: servers.url });
      let current: ReplicatedServer = servers.primary;
      const failOver = async (until: AbortSignal, writers: Writers, end: () => void) => {
        for (let count = 0; count < FAILOVERS && !until.aborted; count += 1) {
          const other = servers.servers.find((server) => server !== current)!;
          await current.replicateSynchronously();
          await untilMore(writers, 100);
          await current.kill();
          const killedAt = Date.now();
          const resumed = untilMore(writers, 1);
          await other.promote();
          await resumed;
          outagesMs.push(Date.now() - killedAt);
          await current.follow(other);
          current = other;
        }
        end();
      };
      const database = { query: async (sql: string) => current.query(sql) };
      written = await writeFor(FAILOVERS * MAX_SECONDS_EACH, [url], database, failOver);
      await stop();
    },
    FAILOVERS * MAX_SECONDS_EACH * 1000 + 60_000,
  );
  afterAll(async () => servers.close());

  holdLaws(() => written);

  it('goes on after each failover', () => {
    expect(outagesMs).toHaveLength(FAILOVERS);
    if (process.env.FAILOVERS) console.log({ outagesMs: outagesMs.toSorted((a, b) => a - b) });
    expect(written.journal.at(-1)!.seq).toBeGreaterThan(FAILOVERS * EPOCH_LENGTH);
  });
});

describe('another server that is promoted', () => {
  let servers: Servers;
  let url: string;
  beforeEach(async () => {
    servers = await startReplicatedServers(1);
    // no connection is replaced because of its age
    const settings = { DATABASE_URL: servers.url, DB_RECYCLE_SECONDS: '3600' };
    ({ url } = await startService(settings));
  });
  afterEach(async () => servers.close());

  const create = async (name: string) => {
    const body = JSON.stringify(aMarathon({ name }));
    const answer = await fetch(`${url}/marathon/`, { method: 'POST', headers: JSON_TYPE, body });
    expect(answer.status).toBe(201);
  };
  const changesSince = async (since: number) => fetch(`${url}/marathon/changes?since=${since}`);
  it('is used although the old primary goes on, where nothing is written from then on', async () => {
    const [old, next] = [servers.primary, servers.standbys[0]!];
    await create('before');
    await untilEqual(old, next);
    await next.promote();
    while (!(await namesOn(next)).includes('after')) await create('after');
    const namesOnOld = await namesOn(old);
    for (let count = 0; count < 20; count += 1) await create('later');
    expect(await namesOn(old)).toEqual(namesOnOld);
    expect((await namesOn(next)).filter((name) => name === 'later')).toHaveLength(20);
  });

  it('numbers its changes apart from those that were lost, and says so to who has seen them', async () => {
    const [old, next] = [servers.primary, servers.standbys[0]!];
    await create('kept');
    await untilEqual(old, next);
    const heard = listen(`${url}/marathon/changes?since=0`);
    const { seq: kept } = await hearOf(heard, 'kept');
    // the standby no longer receives what is written
    await next.query("ALTER SYSTEM SET primary_conninfo = ''");
    await next.query('SELECT pg_reload_conf()');
    while ((await old.query('SELECT FROM pg_stat_replication')).length) await wait(20);
    await create('lost');
    const { seq: lost } = await hearOf(heard, 'lost');
    await old.kill();
    await next.promote();
    await create('new');

    expect(await namesOn(next)).toEqual(['kept', 'new']);
    const page = await changesSince(0);
    const { changes } = (await page.json()) as { changes: ChangeResponse[] };
    expect(changes.map(({ seq }) => seq)).toEqual([kept, EPOCH_LENGTH + lost]);
    const lastEvent = (await heard.next()).value;
    expect(lastEvent).toMatchObject({ status: 410, code: 'changes_lost' });
    expect((await heard.next()).done).toBe(true);
    const answer = await changesSince(lost);
    expect([answer.status, await answer.json()]).toEqual([
      410,
      expect.objectContaining({ code: 'changes_lost' }),
    ]);
    const undo = await fetch(`${url}/marathon/restore?changes=${lost}-${lost}`, { method: 'POST' });
    expect(undo.status).toBe(410);
    expect((await changesSince(kept)).status).toBe(200);
  });
});

/** Resolves to the next change of a marathon with this name. */
async function hearOf(
  heard: AsyncGenerator<ChangeResponse>,
  name: string,
): Promise<ChangeResponse> {
  for (;;) {
    const { value } = (await heard.next()) as IteratorYieldResult<ChangeResponse>;
    if (value.marathon.name === name) return value;
  }
}

async function namesOn(server: ReplicatedServer): Promise<unknown[]> {
  return (await server.query('SELECT name FROM marathon ORDER BY id')).map(({ name }) => name);
}
