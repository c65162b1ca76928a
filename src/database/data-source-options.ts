import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import type { ConnectionSettings } from '../config/connection-string.js';
import type { Settings } from '../config/settings.js';
import { recyclingPg } from '../pool/recycling-pool.js';

const SOURCE = join(import.meta.dirname, '..');

/**
 * The options of the DataSource: with the recycling pool, and with all entities and migrations.
 *
 * `synchronize` is off because the service checks the statements before it executes them: see
 * `src/database/schema.ts`.
 */
export async function dataSourceOptions(settings: Settings): Promise<PostgresDataSourceOptions> {
  const { poolSize } = settings;
  return {
    type: 'postgres',
    driver: recyclingPg,
    entities: await importClasses(/\.entity\.[jt]s$/),
    migrations: await importClasses(/^migrations\W.*\.[jt]s$/),
    migrationsTableName: 'schema_migration',
    synchronize: false,
    poolSize,
    extra: poolOptions(settings.database ?? embeddedServer(settings), settings),
  };
}

/** The options of the pool: how to reach a server, and what is the same for all of them. */
export function poolOptions(
  address: ConnectionSettings,
  { recycleSeconds, deadlineMs }: Settings,
): object {
  return {
    ...address,
    recycleSeconds,
    deadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** Imports the classes of all matching files, so that a new entity needs no registration. */
async function importClasses(fileName: RegExp): Promise<Function[]> {
  const files = (await readdir(SOURCE, { recursive: true })).filter((file) => fileName.test(file));
  const modules = files.map(async (file) => import(pathToFileURL(join(SOURCE, file)).href));
  return (await Promise.all(modules)).flatMap((module) => Object.values<Function>(module));
}

/** All options are set, so that a `PGPORT` or `PGSSLMODE` for another server has no effect. */
function embeddedServer({ embeddedSocketFolder: host }: Settings): ConnectionSettings {
  return { host, port: 5432, user: 'postgres', database: 'postgres', ssl: false };
}
