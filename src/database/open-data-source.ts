import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { environment } from '../environment.js';
import { EmbeddedDataSource } from './embedded-data-source.js';
import { EmbeddedServer } from './embedded-server.js';
import { prepareSchema } from './schema.js';

/**
 * Connects to the configured database, or to the embedded one, with its schema as `DB_SCHEMA` wants
 * it. Whoever opens it calls `destroy()`.
 */
export async function openDataSource(schema = environment.schema): Promise<DataSource> {
  const dataSource = makeDataSource();
  await dataSource.initialize();
  try {
    await prepareSchema(dataSource, schema);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

/** Not open yet. */
export function makeDataSource(): DataSource {
  if (environment.database) return new DataSource(dataSourceOptions);
  const server = new EmbeddedServer(environment.dataFolder, environment.embeddedSocketFolder);
  return new EmbeddedDataSource(dataSourceOptions, server);
}
