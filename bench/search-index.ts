import { setTimeout as wait } from 'node:timers/promises';
import { withClient } from './postgres.js';

const INTERVAL_MS = 100;
const LIMIT_MS = 300_000;

/** Whether the index has all rows but the last 10,000, and the service has ended its work on it. */
const INDEXED = `
  SELECT coalesce((SELECT max(id) FROM marathon), 0)
         - coalesce(max(substring(relname FROM '[0-9]+$')::integer) FILTER (WHERE indisvalid), 0) <= 10000
         AND NOT EXISTS (
           SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
             AND query ~ 'INDEX|STATISTICS|ANALYZE') AS done
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  WHERE relname ~ '^marathon_search_[0-9]+$'`;

/** The service builds the index after an import in the background. A VACUUM meanwhile can be a deadlock with it. */
export async function untilIndexed(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const endsAt = Date.now() + LIMIT_MS;
    while (!(await client.query<{ done: boolean }>(INDEXED)).rows[0]!.done) {
      if (Date.now() > endsAt) throw new Error('The search index was not built. Read the log.');
      await wait(INTERVAL_MS);
    }
  });
}
