import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startReplicatedServers, untilEqual } from './support/replicated-servers.js';
import { startService } from './support/service.js';

/** With `PAIRS=100000`, for `docs/scale.md`. */
const PAIRS = Number(process.env.PAIRS ?? 300);
const CLIENTS = 16;
const MIN_READS = 100;
const COUNTED_WITHIN_MS = 30_000;
const JSON_TYPE = { 'Content-Type': 'application/json' };

type Servers = Awaited<ReturnType<typeof startReplicatedServers>>;

/** A client that keeps what it is told, in the way of its kind. */
class Client {
  private headers: Record<string, string> = {};

  constructor(private readonly keeps: 'header' | 'cookie') {}

  async send(url: string, options: RequestInit = {}): Promise<Response> {
    const headers = { ...this.headers, ...(options.headers as Record<string, string>) };
    const answer = await fetch(url, { ...options, headers });
    const token = answer.headers.get('consistency-token');
    const cookie = answer.headers.get('set-cookie')?.split(';')[0];
    if (this.keeps === 'header' && token) this.headers = { 'Consistency-Token': token };
    if (this.keeps === 'cookie' && cookie) this.headers = { Cookie: cookie };
    return answer;
  }
}

describe('reads with two replicas', () => {
  let servers: Servers;
  let urls: string[];
  let replicaUrls: string[];

  beforeAll(async () => {
    servers = await startReplicatedServers(2);
    replicaUrls = servers.standbys.map(({ url }) => url);
  });
  // after each test they are killed
  beforeEach(async () => void (urls = await Promise.all([start(), start()])));
  afterAll(async () => servers.close());

  const start = async (settings: Record<string, string> = {}) => {
    const { url } = await startService({
      DATABASE_URL: servers.primary.url,
      DATABASE_REPLICA_URLS: replicaUrls.join(','),
      ...settings,
    });
    return url;
  };

  const lag = async (standby: number, delay: string) => {
    await servers.standbys[standby]!.query(
      `ALTER SYSTEM SET recovery_min_apply_delay = '${delay}'`,
    );
    await servers.standbys[standby]!.query('SELECT pg_reload_conf()');
  };

  /** How often the marathons were read on each replica. */
  const readCounts = async () =>
    Promise.all(
      servers.standbys.map(async ({ query }) => {
        const [row] = await query(
          "SELECT (seq_scan + idx_scan)::integer AS count FROM pg_stat_user_tables WHERE relname = 'marathon'",
        );
        return Number(row!.count);
      }),
    );

  it('go to the replicas', async () => {
    const client = new Client('header');
    const { headers } = await create(client, urls[0]!, 'Boston');
    for (const standby of servers.standbys) await untilEqual(servers.primary, standby);
    const before = await readCounts();
    let [sent, counts] = [0, [0, 0]];
    // each gets a half, and half of the reads are lists
    const areCounted = () => sent >= MIN_READS && counts.every((count) => count > sent / 3);
    // a server counts what a connection did once a second, and only while it is used
    for (const endsAt = Date.now() + COUNTED_WITHIN_MS; Date.now() < endsAt && !areCounted();) {
      for (let count = 0; count < 10; count += 1) {
        await client.send(`${urls[0]}${headers.get('location')}`);
        // another list each time, which is not in memory
        await client.send(`${urls[0]}/marathon/?id=gt.${sent}`);
        sent += 2;
      }
      counts = (await readCounts()).map((count, index) => count - before[index]!);
    }
    expect({ sent, counts, areCounted: areCounted() }).toMatchObject({ areCounted: true });
  });

  it('see each write before them, through any instance, while the replicas lag', async () => {
    await lag(0, '50ms');
    await lag(1, '300ms');
    const stale: string[] = [];
    const writeAndRead = async (number: number) => {
      const client = new Client(number % 2 ? 'header' : 'cookie');
      const name = crypto.randomUUID();
      const [one, other] = number % 3 ? [urls[0]!, urls[1]!] : [urls[1]!, urls[0]!];
      const { headers } = await create(client, one, name);
      const place = `${other}${headers.get('location')}`;
      const read = await client.send(place);
      if (((await read.json()) as { name?: string }).name !== name)
        stale.push(`item ${read.status}`);
      const list = await client.send(`${one}/marathon/?name=eq.${name}`);
      const listed = await list.text();
      if (!listed.includes(name)) stale.push(`list ${list.status} ${listed}`);
      await client.send(place, { method: 'DELETE' });
      if ((await client.send(place)).status !== 404) stale.push('deleted item');
    };
    let next = 0;
    const work = async () => {
      while (next < PAIRS / 3) await writeAndRead((next += 1));
    };
    await Promise.all(Array.from({ length: CLIENTS }, work));
    expect(stale).toEqual([]);
  }, 3_600_000);

  it('see what was read before them, through any instance', async () => {
    await lag(0, '0');
    await lag(1, '5s');
    const [writer, reader] = [new Client('header'), new Client('cookie')];
    const { headers } = await create(writer, urls[0]!, 'seen');
    const place = headers.get('location')!;
    while ((await reader.send(`${urls[0]}${place}`)).status !== 200) await wait(10);
    for (let count = 0; count < 20; count += 1) {
      const url = urls[count % 2];
      expect((await reader.send(`${url}${place}`)).status).toBe(200);
    }
    await lag(1, '0');
  });

  it('see the writes of a client to the same instance that keeps nothing', async () => {
    await lag(0, '5s');
    await lag(1, '5s');
    const { headers } = await create({ send: fetch }, urls[0]!, 'kept nowhere');
    expect((await fetch(`${urls[0]}${headers.get('location')}`)).status).toBe(200);
    await lag(0, '0');
    await lag(1, '0');
  });

  /** Reads in all ways until `work` resolves. Resolves to the answers that are no success. */
  const readMeanwhile = async (work: () => Promise<void>): Promise<string[]> => {
    const client = new Client('header');
    const { headers } = await create(client, urls[0]!, 'steady');
    const item = headers.get('location')!;
    const paths = [
      item,
      '/marathon/',
      '/marathon/?limit=1',
      `${item}/history`,
      '/marathon/changes?limit=1',
      '/marathon/stats',
      '/marathon/?select=city,count()',
      '/marathon/?q=steady',
      '/marathon/deleted',
      '/marathon/anniversaries',
      `/marathon/?as_of=${new Date().toISOString()}`,
    ];
    const unexpected = new Set<string>();
    const over = new AbortController();
    const read = async (path: string) => {
      while (!over.signal.aborted) {
        const options = { headers: { 'If-None-Match': '"none"' } };
        const answer = await client.send(`${urls[0]}${path}`, options);
        const text = await answer.text();
        if (answer.status !== 200) unexpected.add(`${path}: ${text}`);
      }
    };
    const reading = Promise.all(paths.map(read));
    await work().finally(() => over.abort());
    await reading;
    return [...unexpected];
  };

  const untilRead = async () => {
    const [before] = await readCounts();
    while ((await readCounts())[0]! < before! + 100) await wait(50);
  };

  it('do not fail when a replica is killed, and go to it again when it is back', async () => {
    const failed = await readMeanwhile(async () => {
      const [replica] = servers.standbys;
      await replica!.kill();
      await wait(1000);
      await replica!.follow(servers.primary);
      await untilRead();
    });
    expect(failed).toEqual([]);
  });

  it('do not fail when a replica hangs, and go to it again when it goes on', async () => {
    const failed = await readMeanwhile(async () => {
      const goOn = await servers.standbys[0]!.stop();
      await wait(5000);
      goOn();
      await untilRead();
    });
    expect(failed).toEqual([]);
  });

  it('go to the primary if no replica answers, also at the start', async () => {
    const nowhere = 'postgresql://postgres@127.0.0.1:1/postgres';
    const url = await start({ DATABASE_REPLICA_URLS: `${nowhere},${nowhere}` });
    const { headers } = await create({ send: fetch }, url, 'alone');
    expect((await fetch(`${url}${headers.get('location')}`)).status).toBe(200);
    expect((await fetch(`${url}/marathon/`)).status).toBe(200);
  });
});

async function create(client: Pick<Client, 'send'>, url: string, name: string): Promise<Response> {
  const body = JSON.stringify(aMarathon({ name }));
  const answer = await client.send(`${url}/marathon/`, {
    method: 'POST',
    headers: JSON_TYPE,
    body,
  });
  expect(answer.status).toBe(201);
  return answer;
}
