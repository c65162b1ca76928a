import { measureThroughput, type Request } from './load.js';
import { listenUntil } from './listeners.js';
import type { Options } from './options.js';
import { importRows, OURS, startPeer, type StartedPeer } from './peers.js';
import { query, writeRows, type BenchServer } from './postgres.js';
import { processorMicroseconds, serverMicroseconds } from './processes.js';
import { median, type Section } from './report.js';
import { CREATE, ITEM, LIST } from './workloads.js';

/** What one unit of work costs. */
interface Cost {
  /** Processor time of the service and of PostgreSQL, in microseconds. */
  service: number;
  postgres: number;
  /** Bytes of the write-ahead log, and of the tables and indexes. */
  log: number;
  disk: number;
}

/** A kind of work whose cost is a line in `x`. */
interface Work {
  name: string;
  /** What `x` is, and what the cost depends on it. */
  formula: string;
  /** The costs are fitted to the first and the last, and compared with the others. */
  points: number[];
  /** Of a point: the x of the line. */
  at: (point: number) => number;
  /** Does it, and returns the number of units. */
  run: (peer: StartedPeer, point: number, seconds: number) => Promise<number>;
  prepare?: (peer: StartedPeer, point: number) => Promise<void>;
}

const KEYS = ['service', 'postgres', 'log', 'disk'] as const;
/** Less than this is not compared: it is the work of the background. */
const LEAST: Cost = { service: 2, postgres: 2, log: 20, disk: 20 };

const load = (requests: Request[]) => async (peer: StartedPeer, clients: number, seconds: number) =>
  seconds * (await measureThroughput(peer.url, requests, clients, seconds));

const fill = async (peer: StartedPeer, count: number) => {
  await query(peer.databaseUrl, 'TRUNCATE marathon');
  await importRows(peer, writeRows(1, count));
  await query(peer.databaseUrl, 'VACUUM ANALYZE marathon');
};

const shared = { points: [1, 4, 16, 32], at: (clients: number) => 1 / clients };

const WORKS: Work[] = [
  { name: 'Read of one marathon', formula: 'a + b / clients', ...shared, run: load(ITEM.requests) },
  { name: 'Create', formula: 'a + b / clients', ...shared, run: load(CREATE.requests) },
  {
    name: 'List that did not change, 32 clients',
    formula: 'a + b × rows',
    points: [10, 100, 300, 1000],
    at: (rows) => rows,
    prepare: fill,
    run: async (peer, _, seconds) => load(LIST.requests)(peer, 32, seconds),
  },
  {
    name: 'Row of an import',
    formula: 'a + b / rows',
    points: [10_000, 30_000, 100_000, 300_000],
    at: (rows) => 1 / rows,
    run: async (peer, rows) => {
      await importRows(peer, writeRows(1, rows));
      return rows;
    },
  },
  {
    name: 'Change that is sent to listeners',
    formula: 'a + b × listeners',
    points: [10, 50, 150, 400],
    at: (listeners) => listeners,
    run: async (peer, listeners, seconds) =>
      listenUntil(peer.url, listeners, async () => load(CREATE.requests)(peer, 1, seconds)),
  },
];

/** What requests cost, as formulas that are fitted to some measurements and compared with others. */
export async function measureCosts(
  server: BenchServer,
  { rounds, seconds, warmUpSeconds }: Options,
  say: (text: string) => void,
): Promise<Section[]> {
  const rows: string[][] = [];
  for (const work of WORKS) {
    const turns = work.points.map(() => [] as Cost[]);
    for (let round = 1; round <= rounds; round += 1) {
      say(`${work.name}: turn ${round} of ${rounds}`);
      // each process is a little faster or slower than another one
      const peer = await startPeer(server, OURS, 100);
      try {
        await work.prepare?.(peer, work.points[1]!);
        await work.run(peer, work.points[1]!, warmUpSeconds);
        for (const [index, point] of work.points.entries()) {
          await work.prepare?.(peer, point);
          turns[index]!.push(await measure(peer, async () => work.run(peer, point, seconds)));
        }
      } finally {
        await peer.stop();
      }
    }
    rows.push(...describe(work, turns));
  }
  return [
    {
      title: 'What requests cost',
      about: `Microseconds of processor time of the service and of PostgreSQL, bytes of the write-ahead log and of the disk. Medians of ${rounds} starts of ${seconds} s. The formulas are fitted to the first and the last of the points, and compared with the others.`,
      columns: ['work', 'of', 'formula', 'a', 'b', 'measured, by point', 'formula to measured'],
      rows,
    },
  ];
}

async function measure(peer: StartedPeer, run: () => Promise<number>): Promise<Cost> {
  const before = await readTotals(peer);
  const units = await run();
  const after = await readTotals(peer);
  const per = (key: keyof Cost) => (after[key] - before[key]) / units;
  return { service: per('service'), postgres: per('postgres'), log: per('log'), disk: per('disk') };
}

async function readTotals({ pid, databaseUrl }: StartedPeer): Promise<Cost> {
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
  };
}

/** A row for each kind of cost that is worth a formula. */
function describe({ name, formula, points, at }: Work, turns: Cost[][]): string[][] {
  return KEYS.flatMap((key) => {
    const costs = turns.map((of) => median(of.map((cost) => cost[key])));
    if (Math.max(...costs) < LEAST[key]) return [];
    const [x0, x1] = [at(points[0]!), at(points.at(-1)!)];
    const b = (costs.at(-1)! - costs[0]!) / (x1 - x0);
    const a = costs[0]! - b * x0;
    const measured = points.map((point, index) => `${point}: ${costs[index]!.toFixed(1)}`);
    const ratios = points.slice(1, -1).map((point, index) => {
      const ratio = (a + b * at(point)) / costs[index + 1]!;
      return `${point}: **${ratio.toFixed(2)}**`;
    });
    return [[name, key, formula, toText(a), toText(b), measured.join(', '), ratios.join(', ')]];
  });
}

function toText(value: number): string {
  return value.toPrecision(3);
}
