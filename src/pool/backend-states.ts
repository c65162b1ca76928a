import { setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';
import { AdaptiveTimeout } from './adaptive-timeout.js';
import type { ProbeConnections } from './probe-connections.js';
import type { RecyclingClient } from './recycling-client.js';

const [MIN_TIMEOUT_MS, MAX_TIMEOUT_MS] = [1000, 3000];

/**
 * What a server process does: it works on a statement; it waits for data of a COPY FROM STDIN; or it has
 * finished, and waits for the next statement or cannot send its response. A client that still waits for a
 * finished process, or for one that does not exist, has a dead connection.
 */
export type BackendState = 'working' | 'receiving' | 'finished';

interface Activity {
  pid: number;
  state: string | null;
  wait_event: string | null;
}

/**
 * https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 *
 * Citus reports a wait for another server as one for the client.
 */
const ACTIVITY = `
  SELECT pid, state,
         CASE WHEN wait_event <> 'ClientRead' OR to_regclass('pg_dist_partition') IS NULL THEN wait_event END AS wait_event
  FROM pg_stat_activity WHERE pid = ANY($1)`;
/** The server does not notice a silent connection, whose process keeps its locks until it ends. */
const TERMINATE = 'SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS finished (pid)';

/** Asks the server, over a separate connection, what some of its processes do. */
export class BackendStates {
  private readonly timeout = new AdaptiveTimeout(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);

  constructor(
    private readonly options: pg.ClientConfig,
    private readonly probes: ProbeConnections,
  ) {}

  /**
   * Passes the states by process id to `use`, and terminates the processes that `use` returns. The states
   * are undefined if the server cannot tell: a pooler with process ids of its own is in between. Takes a
   * second at most, unless it took longer before.
   */
  async inspect(
    pids: number[],
    use: (states: Map<number, BackendState> | undefined) => number[],
  ): Promise<void> {
    await this.probes.run(this.options, this.timeout, async (client) => {
      const states = await fetchStates(client, pids);
      // responses that arrived together with this one are read first
      await nextTurn();
      const terminated = use(states);
      if (terminated.length) await client.query(TERMINATE, [terminated]);
    });
  }
}

async function fetchStates(client: RecyclingClient, pids: number[]) {
  const own = client.backendPid;
  const { rows } = await client.query<Activity>(ACTIVITY, [[...pids, own]]);
  const isOwnVisible = rows.some(({ pid, state }) => pid === own && state === 'active');
  if (!isOwnVisible) return undefined;
  const activities = new Map(rows.map((row) => [row.pid, row]));
  return new Map(pids.map((pid) => [pid, toState(activities.get(pid))]));
}

function toState(activity: Activity | undefined): BackendState {
  if (!activity || activity.state?.startsWith('idle')) return 'finished';
  if (activity.wait_event === 'ClientWrite') return 'finished';
  return activity.wait_event === 'ClientRead' ? 'receiving' : 'working';
}
