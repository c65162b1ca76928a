import { query } from './query.js';

interface Server {
  host: string;
  port: number;
}

/** The coordinator of a Citus cluster for the tests; undefined if they use the PostgreSQL of the run. */
export const CITUS_URL = process.env.TEST_CITUS_URL;

/** The address of a database on the cluster. */
export function citusUrlOf(database: string): string {
  const url = new URL(CITUS_URL!);
  url.pathname = `/${database}`;
  return url.href;
}

/** Creates a database on the coordinator and on the workers that the database of `TEST_CITUS_URL` knows. */
export async function createOnCluster(name: string, options: string): Promise<void> {
  const workers = await findWorkers();
  for (const url of [CITUS_URL!, ...workers.map(urlOf)]) {
    await query(url, `CREATE DATABASE ${name} ${options}`);
    await query(at(url, name), 'CREATE EXTENSION citus');
  }
  const { hostname, port } = new URL(CITUS_URL!);
  await query(citusUrlOf(name), `SELECT citus_set_coordinator_host('${hostname}', ${port})`);
  for (const worker of workers)
    await query(citusUrlOf(name), `SELECT citus_add_node('${worker.host}', ${worker.port})`);
}

export async function dropOnCluster(name: string): Promise<void> {
  for (const url of [CITUS_URL!, ...(await findWorkers()).map(urlOf)])
    await query(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function findWorkers(): Promise<Server[]> {
  const rows = await query(
    CITUS_URL!,
    'SELECT nodename AS host, nodeport AS port FROM pg_dist_node WHERE groupid > 0',
  );
  return rows as unknown as Server[];
}

function urlOf({ host, port }: Server): string {
  const url = new URL(CITUS_URL!);
  url.host = `${host}:${port}`;
  return url.href;
}

function at(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
