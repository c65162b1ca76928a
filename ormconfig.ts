import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { loadSettings } from './src/config/settings.js';
import { dataSourceOptions } from './src/database/data-source-options.js';

/**
 * The DataSource for TypeORM's command line: `npx typeorm migration:show -d dist/ormconfig.js`. It reaches
 * the embedded server while the service runs. The service itself uses `src/database/database.module.ts`.
 */
export default new DataSource(await dataSourceOptions(loadSettings()));
