import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { EmbeddedDataSource } from '../embedded-postgres/embedded-data-source.js';
import { EmbeddedServer } from '../embedded-postgres/embedded-server.js';

/** Makes the DataSource of the configured database, or of the embedded one. It is not connected yet. */
export function makeDataSource(options: DataSourceOptions, settings: Settings): DataSource {
  const { database, dataFolder, embeddedSocketFolder } = settings;
  if (database) return new DataSource(options);
  return new EmbeddedDataSource(options, new EmbeddedServer(dataFolder, embeddedSocketFolder));
}
