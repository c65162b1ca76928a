import 'reflect-metadata';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import type { ConnectionSettings } from './src/connection-string.js';
import { recyclingPg } from './src/database/recycling-pool.js';
import { environment } from './src/environment.js';

/**
 * How the registry talks to its database: once for the service, once for TypeORM's own command line
 * (`npx typeorm migration:show -d dist/ormconfig.js`), which reaches the embedded server while the
 * service runs.
 *
 * `synchronize` stays off here because the service looks at the statements first: see
 * `src/database/schema.ts`.
 */
export const dataSourceOptions: PostgresDataSourceOptions = {
  type: 'postgres',
  driver: recyclingPg,
  entities: await importClasses(/\.entity\.[jt]s$/),
  migrations: await importClasses(/^migrations\W.*\.[jt]s$/),
  migrationsTableName: 'schema_migration',
  synchronize: false,
  poolSize: environment.poolSize,
  extra: {
    ...(environment.database ?? embeddedServer()),
    recycleSeconds: environment.recycleSeconds,
    deadlineMs: environment.deadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  },
};

/** Every class in the files of `src` with such a name, so that a new room changes nothing here. */
async function importClasses(fileName: RegExp): Promise<Function[]> {
  const source = join(import.meta.dirname, 'src');
  const files = (await readdir(source, { recursive: true })).filter((file) => fileName.test(file));
  const modules = files.map(async (file) => import(pathToFileURL(join(source, file)).href));
  return (await Promise.all(modules)).flatMap((module) => Object.values<Function>(module));
}

/** Told whole, so that no `PGPORT` or `PGSSLMODE` that is meant for another server leads astray. */
function embeddedServer(): ConnectionSettings {
  const host = environment.embeddedSocketFolder;
  return { host, port: 5432, user: 'postgres', database: 'postgres', ssl: false };
}

export default new DataSource(dataSourceOptions);
