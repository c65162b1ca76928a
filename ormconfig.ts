import 'reflect-metadata';
import { loadSettings } from './src/config/settings.js';
import { dataSourceOptions } from './src/database/data-source-options.js';
import { makeDataSource } from './src/database/data-source.js';

const settings = loadSettings();

/**
 * The DataSource for TypeORM's command line: `npx typeorm migration:show -d dist/ormconfig.js`. It shares
 * the embedded server with the service, and starts it if the service does not run. The service itself uses
 * `src/database/database.module.ts`.
 */
export default makeDataSource(await dataSourceOptions(settings), settings);
