import type { QueryResult } from 'pg';

/** What a server says about itself. */
export interface ServerState {
  /** It accepts no writes: it is a standby, or `default_transaction_read_only` is on. */
  isReadOnly: boolean;
  /** The id of the process that executed the statement. */
  backendPid: number;
  /** Where its data began, and how often a standby was promoted since. Undefined if the server does not tell. */
  history?: ServerHistory;
}

/** Two servers with the same system have copies of the same data. The later timeline is the one that goes on. */
export interface ServerHistory {
  system: string;
  timeline: number;
}

/**
 * SQL for the timeline of a primary. A promoted standby has a larger one.
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES
 */
export const TIMELINE_SQL = `('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer`;

/**
 * The history of a primary. Servers that are only compatible with PostgreSQL lack these functions.
 */
const HISTORY = `
  SELECT system_identifier || '/' || ${TIMELINE_SQL} FROM pg_control_system() WHERE NOT pg_is_in_recovery()`;

/** Keeps the history in a setting, because only a block can go on without the functions. */
const KEEP_HISTORY_SQL = `
  DO $$ BEGIN PERFORM set_config('marathon.history', coalesce((${HISTORY}), ''), false);
  EXCEPTION WHEN OTHERS THEN PERFORM set_config('marathon.history', '', false); END $$`;

/** A script that ends with what `readServerState` reads. */
export const SERVER_STATE_SQL = `${KEEP_HISTORY_SQL};
  SELECT current_setting('transaction_read_only') = 'on' AS "isReadOnly",
         pg_backend_pid() AS "backendPid", current_setting('marathon.history') AS history`;

/** Reads the results of a script that ends with `SERVER_STATE_SQL`. */
export function readServerState(results: unknown): ServerState {
  const { rows } = (results as QueryResult[]).at(-1)!;
  const { history, ...state } = rows[0] as Omit<ServerState, 'history'> & { history: string };
  const [system = '', timeline] = history.split('/');
  return { ...state, history: system ? { system, timeline: Number(timeline) } : undefined };
}
