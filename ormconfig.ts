import 'reflect-metadata';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { environment } from './src/environment.js';

const MODULE_FILES = '*.{ts,js}';

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
  url: environment.databaseUrl ?? embeddedUrl(),
  entities: [join(import.meta.dirname, 'src', '**', `*.entity.{ts,js}`)],
  migrations: [join(import.meta.dirname, 'src', 'migrations', MODULE_FILES)],
  migrationsTableName: 'schema_migration',
  synchronize: false,
  poolSize: environment.poolSize,
  connectTimeoutMS: environment.deadlineMs,
  extra: {
    min: 0,
    maxLifetimeSeconds: environment.recycleSeconds,
    idleTimeoutMillis: environment.recycleSeconds * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  },
};

function embeddedUrl(): string {
  return `postgresql://postgres@/postgres?host=${encodeURIComponent(environment.embeddedSocketFolder)}`;
}

export default new DataSource(dataSourceOptions);
