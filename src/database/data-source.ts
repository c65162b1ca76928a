import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { EmbeddedDataSource } from '../embedded-postgres/embedded-data-source.js';
import { EmbeddedServer } from '../embedded-postgres/embedded-server.js';
import { poolOptions } from './data-source-options.js';

/** What bypasses a pooler: the schema, one start after another, and the build of an index. */
const DIRECT_POOL_SIZE = 2;

/** Makes the DataSource of `DATABASE_DIRECT_URL`; without it, returns the other one. */
export function makeDirectDataSource(dataSource: DataSource, settings: Settings): DataSource {
  const { directDatabase } = settings;
  if (!directDatabase) return dataSource;
  const extra = poolOptions(directDatabase, settings);
  return new DataSource({
    ...dataSource.options,
    poolSize: DIRECT_POOL_SIZE,
    extra,
  } as DataSourceOptions);
}

/** Makes the DataSource of the configured database, or of the embedded one. It is not connected yet. */
export function makeDataSource(options: DataSourceOptions, settings: Settings): DataSource {
  const { database, dataFolder, embeddedSocketFolder } = settings;
  if (database) return new DataSource(options);
  return new EmbeddedDataSource(options, new EmbeddedServer(dataFolder, embeddedSocketFolder));
}
