import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { fetchDistributedTables } from '../database/distribution.js';
import { UnsuitableDatabaseError } from '../database/schema-errors.js';
import type { JournaledTable } from './journaled-table.js';

/**
 * Distributes a table and its journal over the servers of a Citus cluster. A record and its versions are on one
 * server. All else stays on the coordinator.
 * https://docs.citusdata.com/en/stable/develop/api_udf.html#create-distributed-table
 * @throws {UnsuitableDatabaseError} if the database is not one of Citus
 */
export async function distribute(manager: EntityManager, table: JournaledTable): Promise<void> {
  const distributed = await fetchDistributedTables(manager);
  if (!distributed) throw withoutCitus();
  if (distributed.has('journal')) return;
  // a unique constraint needs the column by which the rows are distributed; the head row keeps `seq` unique
  const [key] = (await manager.query(
    `SELECT conname AS name FROM pg_constraint WHERE conrelid = 'journal'::regclass AND contype = 'p'`,
  )) as { name: string }[];
  await manager.query(`
    ALTER TABLE journal DROP CONSTRAINT ${pg.escapeIdentifier(key!.name)},
      ADD CONSTRAINT ${pg.escapeIdentifier(key!.name)} PRIMARY KEY (record_id, seq)`);
  await manager.query('CREATE INDEX journal_seq ON journal (seq)');
  await manager.query('SELECT create_distributed_table($1, $2)', [table.name, 'id']);
  await manager.query('SELECT create_distributed_table($1, $2, colocate_with => $3)', [
    'journal',
    'record_id',
    table.name,
  ]);
}

function withoutCitus(): UnsuitableDatabaseError {
  return new UnsuitableDatabaseError(
    'DB_DISTRIBUTE=citus needs the extension citus in this database, and servers that citus_add_node has added. ' +
      'Run CREATE EXTENSION citus as a superuser on each of them, or start without DB_DISTRIBUTE.',
  );
}
