import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Clients } from '../support/clients.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { listen } from '../support/listen.js';
import { startProxy, type ConnectionFault, type Link } from '../support/proxy.js';
import { startService } from '../support/service.js';

const [CLIENTS, DEADLINE_MS] = [50, 6000];

describe('no request fails', () => {
  let database: TestDatabase;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let url: string;
  let clients: Clients;

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await startProxy(database.url);
  });
  beforeEach(async () => {
    const settings = { DATABASE_URL: proxy.url, DB_DEADLINE_MS: String(DEADLINE_MS) };
    ({ url } = await startService(settings));
    clients = new Clients(url);
    await database.query('DELETE FROM marathon');
  });
  afterEach(() => {
    proxy.refuse(false);
    proxy.breakBy({});
  });
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });

  const storedNames = async () => {
    const rows = await database.query('SELECT name FROM marathon');
    return rows.map(({ name }) => String(name));
  };

  it('4: when the server closes all connections, fifteen times', async () => {
    const using = new AbortController();
    const used = clients.use({ clients: CLIENTS, until: using.signal });
    for (let kills = 0; kills < 15; kills += 1) {
      // each connection is busy again after that
      await clients.untilAnswered(10 * CLIENTS);
      await killConnections(database);
    }
    using.abort();
    await used;
    await clients.expectNothingLost(await storedNames());
  });

  it('10: when a response never arrives', async () => {
    await clients.use({ clients: CLIENTS, rounds: 1 });
    const silent = new Set<Link>(proxy.links);
    proxy.breakBy({ onAnswer: (link) => !silent.has(link) });
    await clients.use({ clients: CLIENTS, rounds: 1 });
    await clients.expectNothingLost(await storedNames(), { slowestMs: DEADLINE_MS });
    for (const link of proxy.links) expect(silent.has(link)).toBe(false);
  });

  it('when the first response about a change never arrives, not even that of a listener', async () => {
    // changes of other tests are ignored
    const [head] = await database.query('SELECT seq FROM journal_head');
    const changes = listen(`${url}/marathon/changes?since=${String(head!.seq)}`);
    let silent: Link | undefined;
    proxy.breakBy({
      onRequest: (link, bytes) => {
        if (bytes.includes('FROM entry CROSS JOIN')) silent ??= link;
        return link !== silent;
      },
    });
    const heard = changes.next();
    await clients.use({ clients: 1, rounds: 1 });
    expect(await storedNames()).toEqual([(await heard).value?.marathon.name]);
    expect(silent).toBeDefined();
    await changes.return(undefined);
  });

  it.each([
    ['on its way to the server', 'onRequest'],
    ['on its way back, when it was done', 'onAnswer'],
  ] as const)('11: when each of a thousand writes is cut %s', async (_, direction) => {
    const cuts = new Set<string>();
    proxy.breakBy(
      cutOnce(direction, (bytes) => {
        const names = bytes.includes('"fingerprint"') ? bytes.match(/\d+\/\d+\/\d+/g) : undefined;
        const uncut = names?.filter((name) => !cuts.has(name)) ?? [];
        for (const name of uncut) cuts.add(name);
        return uncut.length > 0;
      }),
    );
    await clients.use({ clients: 20, rounds: 50 });
    expect(cuts.size).toBe(1000);
    await clients.expectNothingLost(await storedNames());
  });

  it.each([
    ['on its way to the server', 'onRequest'],
    ['on its way back, when it was done', 'onAnswer'],
  ] as const)('11: when the COMMIT of an import is cut %s', async (_, direction) => {
    let [cuts, toCut] = [0, 0];
    const isCommit = (bytes: string) => bytes.includes('COMMIT\0') && cuts < toCut && !!(cuts += 1);
    proxy.breakBy(cutOnce(direction, isCommit));
    for (let file = 0; file < 50; file += 1) {
      toCut += 2;
      await clients.import([`${file}/Boston`, `${file}/Berlin`]);
    }
    expect(cuts).toBe(100);
    await clients.expectNothingLost(await storedNames());
  });

  it('12: when clients send one key concurrently, and connections are cut', async () => {
    let writes = 0;
    const isThird = (bytes: string) => bytes.includes('"fingerprint"') && (writes += 1) % 3 === 0;
    proxy.breakBy(cutOnce('onAnswer', isThird));
    for (let key = 0; key < 10; key += 1) {
      const headers = { 'Idempotency-Key': `"key ${key}"` };
      const answers = await Promise.all(
        Array.from({ length: CLIENTS }, async () => clients.post(`of key ${key}`, headers)),
      );
      expect(new Set(answers).size).toBe(1);
    }
    await clients.expectNothingLost(await storedNames());
  });

  it('13: when transactions are slower than the deadline', async () => {
    const using = new AbortController();
    const used = clients.use({ clients: 20, until: using.signal, pauseMs: 50 });
    const imported = importUntil(using.signal, clients);
    for (let lock = 0; lock < 3; lock += 1) {
      await database.query('BEGIN; SELECT FROM journal_head FOR UPDATE; SELECT pg_sleep(2.5)');
      await wait(1000);
    }
    using.abort();
    await Promise.all([used, imported]);
    await clients.expectNothingLost(await storedNames());
  });
});

/** Terminates all connections of the service. */
async function killConnections(database: TestDatabase): Promise<void> {
  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()`);
}

/** Cuts the connection when matching bytes pass, or when their response does. */
function cutOnce(
  direction: keyof ConnectionFault,
  isIt: (bytes: string) => boolean,
): ConnectionFault {
  const answering = new Set<Link>();
  return {
    onRequest: (link, bytes) => {
      if (!isIt(bytes.toString())) return true;
      if (direction === 'onRequest') return cut(link);
      answering.add(link);
      return true;
    },
    onAnswer: (link) => (answering.delete(link) ? cut(link) : true),
  };
}

function cut({ toService }: Link): false {
  toService.resetAndDestroy();
  return false;
}

async function importUntil(signal: AbortSignal, clients: Clients): Promise<void> {
  for (let file = 0; !signal.aborted; file += 1) {
    await clients.import([`imported ${file}/Boston`, `imported ${file}/Berlin`]);
    await wait(50);
  }
}
