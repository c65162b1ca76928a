import type { DataSource, EntityManager } from 'typeorm';

/** https://docs.citusdata.com/en/stable/develop/api_metadata.html#partition-table */
const DISTRIBUTED_TABLES = 'SELECT logicalrelid::regclass::text AS name FROM pg_dist_partition';

const tablesOf = new WeakMap<DataSource, Set<string>>();

/** The names of the tables that Citus distributes over several servers; undefined without Citus. */
export async function fetchDistributedTables(
  executor: Pick<EntityManager, 'query'>,
): Promise<Set<string> | undefined> {
  const [catalog] = (await executor.query(
    `SELECT to_regclass('pg_dist_partition')::text AS name`,
  )) as { name: string | null }[];
  if (catalog!.name === null) return undefined;
  const tables = (await executor.query(DISTRIBUTED_TABLES)) as { name: string }[];
  return new Set(tables.map(({ name }) => name));
}

/** Makes known which tables are distributed. Call it when the schema is up to date. */
export async function noteDistributedTables(dataSource: DataSource): Promise<void> {
  tablesOf.set(dataSource, (await fetchDistributedTables(dataSource)) ?? new Set());
}

/** Whether a table is distributed; without a name, whether any table is. */
export function isDistributed(dataSource: DataSource, table?: string): boolean {
  const tables = tablesOf.get(dataSource);
  return table === undefined ? Boolean(tables?.size) : Boolean(tables?.has(table));
}
