import type { DataSource } from 'typeorm';

/** https://docs.citusdata.com/en/stable/develop/api_metadata.html#partition-table */
const DISTRIBUTED_TABLES = 'SELECT logicalrelid::regclass::text AS name FROM pg_dist_partition';

const tablesOf = new WeakMap<DataSource, Set<string>>();

/** Finds out which tables are distributed over several servers by Citus. Call it when the schema is up to date. */
export async function findDistributedTables(dataSource: DataSource): Promise<void> {
  const hasCitus = await isInstalled(dataSource);
  const tables: { name: string }[] = hasCitus ? await dataSource.query(DISTRIBUTED_TABLES) : [];
  tablesOf.set(dataSource, new Set(tables.map(({ name }) => name)));
}

/** Whether a table is distributed; without a name, whether any table is. */
export function isDistributed(dataSource: DataSource, table?: string): boolean {
  const tables = tablesOf.get(dataSource);
  return table === undefined ? Boolean(tables?.size) : Boolean(tables?.has(table));
}

async function isInstalled(dataSource: DataSource): Promise<boolean> {
  const [catalog]: { name: string | null }[] = await dataSource.query(
    `SELECT to_regclass('pg_dist_partition')::text AS name`,
  );
  return catalog!.name !== null;
}
