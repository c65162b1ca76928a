import pg from 'pg';
import { AdaptiveTimeout } from './adaptive-timeout.js';
import type { RecyclingClient } from './recycling-client.js';
import { readServerState, SERVER_STATE_SQL, type ServerState } from './server-state.js';

/** How long a connection may take to be established. */
export const CONNECT_TIMEOUT_MS = 2000;
/** How long its setup may take after that; longer if others took longer. */
const [MIN_SETUP_TIMEOUT_MS, MAX_SETUP_TIMEOUT_MS] = [500, 2000];

/**
 * The settings that the service relies on, whatever the server, the database or the role default to:
 * https://www.postgresql.org/docs/current/runtime-config-client.html
 */
const SETTINGS = {
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  client_encoding: 'UTF8',
  bytea_output: 'hex',
  DateStyle: 'ISO, YMD',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // after it has locked the head row, a write must see what was committed before
  default_transaction_isolation: 'read committed',
  // the service has its own deadline
  transaction_timeout: '0',
};

/** Imports take long. It comes first, because a timeout would apply to the setup too. */
const NO_STATEMENT_TIMEOUT_SQL = 'SET statement_timeout = 0';

/** An acknowledged write must be on disk. `off` is the only level that does not guarantee it. */
const WAIT_FOR_DISK_SQL = `
  SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off'`;

/** With a search path of missing schemas no table could be found or created. */
const SEARCH_PATH_FALLBACK_SQL = `
  SELECT set_config('search_path', 'public', false) WHERE current_schema() IS NULL`;

/**
 * A server process stops within a second when its client is gone. PostgreSQL 14 or later; not on Windows.
 * https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
 */
const DETECT_DISCONNECT_SQL = `
  DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1000', false);
  EXCEPTION WHEN OTHERS THEN NULL; END $$`;

/**
 * Sets up a new connection in one round trip. It uses statements and not startup parameters, which
 * poolers such as PgBouncer reject.
 *
 * A client that vanished in a transaction must not keep its locks, and a client that waits for a lock must
 * stop before its deadline.
 */
export class SessionSetup {
  private readonly timeout = new AdaptiveTimeout(MIN_SETUP_TIMEOUT_MS, MAX_SETUP_TIMEOUT_MS);
  private readonly sql: string;

  constructor(deadlineMs: number) {
    this.sql = setupSql(deadlineMs);
  }

  /**
   * Resolves to what the server says about itself, and to how long it took, in milliseconds.
   * @throws {ResponseTimeoutError} if the server does not respond. The connection is closed then.
   */
  async run(client: RecyclingClient): Promise<{ state: ServerState; elapsedMs: number }> {
    const startedAt = Date.now();
    const results = await client.respondWithin(this.timeout, async () => client.query(this.sql));
    return { state: readServerState(results), elapsedMs: Date.now() - startedAt };
  }
}

function setupSql(deadlineMs: number): string {
  const settings = {
    ...SETTINGS,
    idle_in_transaction_session_timeout: String(Math.ceil(deadlineMs / 2)),
    lock_timeout: String(Math.ceil(deadlineMs / 4)),
  };
  const steps = [
    WAIT_FOR_DISK_SQL,
    SEARCH_PATH_FALLBACK_SQL,
    DETECT_DISCONNECT_SQL,
    SERVER_STATE_SQL,
  ];
  return [NO_STATEMENT_TIMEOUT_SQL, setAllSql(settings), ...steps].join(';');
}

/** Settings that the server does not have are skipped. */
function setAllSql(settings: Record<string, string>): string {
  const values = Object.entries(settings).map(
    ([name, value]) => `(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)})`,
  );
  return `
    SELECT set_config(name, value, false) FROM (VALUES ${values.join(', ')}) AS wanted (name, value)
    WHERE current_setting(name, true) <> value`;
}
