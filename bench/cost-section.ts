import {
  alike,
  BY_BATCHES,
  BY_POINT,
  BY_INVERSE,
  describeCosts,
  makeTurn,
  typicalTurn,
  type Formulas,
  type Turn,
} from './cost-formulas.js';
import { measureThroughput, type Request } from './load.js';
import { listenUntil } from './listeners.js';
import type { Options } from './options.js';
import { growTo, importRows, startOurs, type StartedPeer } from './peers.js';
import { query, writeRows, type BenchServer } from './postgres.js';
import { processorMicroseconds, serverMicroseconds } from './processes.js';
import type { Say, Section } from './report.js';
import { untilIndexed } from './search-index.js';
import { CREATE, ITEM, LIST } from './workloads.js';

/** A kind of work whose costs are measured by clients, rows or listeners: its points. */
interface Work {
  name: string;
  formulas: Formulas;
  /** The points that the formulas are fitted to. */
  fitted: number[];
  /** Those that they are compared with. */
  others: number[];
  /** Does it, and returns the number of units. */
  run: (peer: StartedPeer, point: number, seconds: number) => Promise<number>;
  prepare?: (peer: StartedPeer, point: number) => Promise<void>;
}

const load = (requests: Request[]) => async (peer: StartedPeer, clients: number, seconds: number) =>
  seconds * (await measureThroughput(peer, requests, clients, seconds));

/** A checkpoint writes all pages to the log once more: at a time of its own it would be a cost of chance. */
const empty = async ({ databaseUrl }: StartedPeer) => {
  await query(databaseUrl, 'TRUNCATE marathon');
  await query(databaseUrl, 'CHECKPOINT');
};

const fill = async (peer: StartedPeer, count: number) => {
  await empty(peer);
  await growTo(peer, 1, count);
};

const clients = { fitted: [2, 4, 16, 32], others: [1, 3, 8, 24] };

const WORKS: Work[] = [
  {
    name: 'Read of one marathon, by clients',
    formulas: { service: BY_BATCHES, postgres: BY_BATCHES },
    ...clients,
    run: load(ITEM.requests),
  },
  {
    name: 'Create, by clients',
    formulas: alike(BY_BATCHES),
    ...clients,
    run: load(CREATE.requests),
  },
  {
    name: 'List that did not change, 32 clients, by rows',
    formulas: { service: BY_POINT, postgres: BY_BATCHES },
    fitted: [10, 100, 1000, 10_000],
    others: [30, 300, 3000],
    prepare: fill,
    run: async (peer, _, seconds) => load(LIST.requests)(peer, 32, seconds),
  },
  {
    name: 'Row of an import, with the index of the search and a vacuum, by rows',
    formulas: alike(BY_INVERSE),
    fitted: [20_000, 50_000, 120_000, 320_000],
    others: [30_000, 80_000, 200_000],
    prepare: empty,
    run: async (peer, rows) => {
      await importRows(peer, writeRows(1, rows));
      await untilIndexed(peer.databaseUrl);
      await query(peer.databaseUrl, 'VACUUM ANALYZE');
      return rows;
    },
  },
  {
    name: 'Change that is sent to listeners, by listeners',
    formulas: alike(BY_POINT),
    fitted: [10, 60, 200, 400],
    others: [30, 100, 300],
    run: async (peer, listeners, seconds) =>
      listenUntil(peer.url, listeners, async () => load(CREATE.requests)(peer, 1, seconds)),
  },
];

/** What requests cost, as formulas that are fitted to some measurements and compared with others. */
export async function measureCosts(
  server: BenchServer,
  { rounds, seconds, warmUpSeconds }: Options,
  say: Say,
): Promise<Section[]> {
  const rows: string[][] = [];
  for (const work of WORKS) {
    const points = [...work.fitted, ...work.others].toSorted((a, b) => a - b);
    const turns = points.map(() => [] as Turn[]);
    for (let round = 1; round <= rounds; round += 1) {
      say(`${work.name}: turn ${round} of ${rounds}`);
      // each process is a little faster or slower than another one
      const peer = await startOurs(server, 100, { METRICS: 'on' });
      try {
        await work.prepare?.(peer, work.fitted[1]!);
        await work.run(peer, work.fitted[1]!, warmUpSeconds);
        for (const [index, point] of points.entries()) {
          await work.prepare?.(peer, point);
          turns[index]!.push(await measure(peer, async () => work.run(peer, point, seconds)));
        }
      } finally {
        await peer.stop();
      }
    }
    const measured = points.map((point, index) => ({ point, turn: typicalTurn(turns[index]!) }));
    rows.push(...describeCosts(work.name, work.formulas, measured, work.fitted));
  }
  return [
    {
      title: 'What requests cost',
      about: `Microseconds of processor time of the service and of PostgreSQL, bytes of the write-ahead log and of the disk. Medians of ${rounds} starts of ${seconds} s. Each formula is fitted to four of the points by least squares of the relative error, and compared with the others.`,
      columns: ['work', 'of', 'formula', 'measured, by point', 'formula to measured'],
      rows,
    },
  ];
}

async function measure(peer: StartedPeer, run: () => Promise<number>): Promise<Turn> {
  const before = await readTotals(peer);
  const units = await run();
  const after = await readTotals(peer);
  return makeTurn((key) => (after[key] - before[key]) / units);
}

async function readTotals({ url, pid, databaseUrl }: StartedPeer): Promise<Turn> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [row] = await query(
    databaseUrl,
    `SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::integer AS pid,
            pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS log,
            (SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class WHERE relkind = 'r') AS disk`,
  );
  const { pid: postmaster, log, disk } = row as { pid: number; log: number; disk: number };
  return {
    service: processorMicroseconds(pid) ?? 0,
    postgres: serverMicroseconds(postmaster) ?? 0,
    log,
    disk,
    batches: countBatches(metrics),
  };
}

function countBatches(metrics: string): number {
  const counts = metrics.matchAll(/^database_batch_size_count\S* (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
