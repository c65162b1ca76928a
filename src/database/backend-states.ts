import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import type pg from 'pg';
import { AdaptiveTimeout } from './adaptive-timeout.js';
import { RecyclingClient } from './recycling-client.js';

const [MIN_TIMEOUT_MS, MAX_TIMEOUT_MS] = [1000, 3000];

/**
 * What a server process does: it works on a statement, it waits for data from us (COPY FROM STDIN), or it
 * is done and waits for the next statement, or cannot send its response. In the last case, or if the
 * process is gone, whoever still waits for it waits on a dead connection.
 */
export type BackendState = 'working' | 'receiving' | 'finished';

interface Activity {
  pid: number;
  state: string | null;
  wait_event: string | null;
}

/** https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW */
const ACTIVITY = 'SELECT pid, state, wait_event FROM pg_stat_activity WHERE pid = ANY($1)';
/** The server does not notice a silent connection: until its process ends, it keeps its locks. */
const TERMINATE = 'SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS finished (pid)';

/**
 * Asks the server, over a connection of its own, what some of its processes do. Undefined if the server
 * cannot tell: it is unavailable, or a pooler stands before it and numbers connections by itself.
 */
export class BackendStates {
  private readonly timeout = new AdaptiveTimeout(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);

  constructor(private readonly options: pg.ClientConfig) {}

  /**
   * Calls `use` with the states by process number. The processes that `use` returns are terminated.
   * A second, unless it took longer before.
   */
  async inspect(
    pids: number[],
    use: (states: Map<number, BackendState> | undefined) => number[],
  ): Promise<void> {
    const client = new RecyclingClient(this.options);
    try {
      await client.respondWithin(this.timeout, async () => {
        await client.connect();
        const states = await this.read(client, pids);
        // responses that arrived together with this one are read first
        await turnOfTheEventLoop();
        const terminated = use(states);
        if (terminated.length) await client.query(TERMINATE, [terminated]);
      });
    } finally {
      await client.end();
    }
  }

  private async read(client: RecyclingClient, pids: number[]) {
    const own = client.backendPid;
    const { rows } = await client.query<Activity>(ACTIVITY, [[...pids, own]]);
    const isOwnVisible = rows.some(({ pid, state }) => pid === own && state === 'active');
    if (!isOwnVisible) return undefined;
    const activities = new Map(rows.map((row) => [row.pid, row]));
    const states = new Map<number, BackendState>();
    for (const pid of pids) states.set(pid, classify(activities.get(pid)));
    return states;
  }
}

function classify(activity: Activity | undefined): BackendState {
  if (!activity || activity.state?.startsWith('idle')) return 'finished';
  if (activity.wait_event === 'ClientWrite') return 'finished';
  return activity.wait_event === 'ClientRead' ? 'receiving' : 'working';
}
