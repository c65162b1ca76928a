import pg from 'pg';
import { AdaptiveTimeout } from './adaptive-timeout.js';
import type { RecyclingClient } from './recycling-client.js';

/** How long a connection may take to be established. */
export const CONNECT_TIMEOUT_MS = 2000;
/** How long it may then take to be set up: longer, if others took longer. */
const [MIN_SETUP_TIMEOUT_MS, MAX_SETUP_TIMEOUT_MS] = [500, 2000];

/**
 * What the service relies on, whatever the defaults of the server, the database or the role are:
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
  // a write locks the journal's head, and then has to see what was committed before
  default_transaction_isolation: 'read committed',
  // the service has its own deadline
  transaction_timeout: '0',
};

/** Imports take long. It comes first, because it holds for what sets up the session too. */
const NO_STATEMENT_TIMEOUT = 'SET statement_timeout = 0';

/** An acknowledged write has to be on disk: of all levels, only `off` does not promise that. */
const WAIT_FOR_DISK = `
  SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off'`;

/** A search path without an existing schema would find no table, and could create none. */
const FALL_BACK_TO_PUBLIC = `
  SELECT set_config('search_path', 'public', false) WHERE current_schema() IS NULL`;

/**
 * From PostgreSQL 14 on, and not on Windows: a server that works on what nobody waits for any more
 * notices that within a second.
 * https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
 */
const DETECT_DISCONNECT = `
  DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1000', false);
  EXCEPTION WHEN OTHERS THEN NULL; END $$`;

/**
 * Sets up a new connection in one round trip. These are statements and not start-up parameters, which
 * poolers such as PgBouncer refuse.
 *
 * A client that vanished within a transaction must not hold its locks for long, and one that waits for a
 * lock has to stop before its deadline.
 */
export class SessionSetup {
  private readonly timeout = new AdaptiveTimeout(MIN_SETUP_TIMEOUT_MS, MAX_SETUP_TIMEOUT_MS);
  private readonly sql: string;

  constructor(deadlineMs: number) {
    this.sql = setupSql(deadlineMs);
  }

  /** @throws {ResponseTimeout} if the server does not answer; the connection is closed then. */
  async run(client: RecyclingClient): Promise<void> {
    await client.respondWithin(this.timeout, async () => client.query(this.sql));
  }
}

function setupSql(deadlineMs: number): string {
  const settings = {
    ...SETTINGS,
    idle_in_transaction_session_timeout: String(Math.ceil(deadlineMs / 2)),
    lock_timeout: String(Math.ceil(deadlineMs / 4)),
  };
  const steps = [WAIT_FOR_DISK, FALL_BACK_TO_PUBLIC, DETECT_DISCONNECT];
  return [NO_STATEMENT_TIMEOUT, setAll(settings), ...steps].join(';');
}

/** Parameters that the server does not know have no value there, and are left out. */
function setAll(settings: Record<string, string>): string {
  const values = Object.entries(settings).map(
    ([name, value]) => `(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)})`,
  );
  return `
    SELECT set_config(name, value, false) FROM (VALUES ${values.join(', ')}) AS wanted (name, value)
    WHERE current_setting(name, true) <> value`;
}
