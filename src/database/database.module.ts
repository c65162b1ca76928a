import { Global, Module } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { SETTINGS } from '../config/settings.module.js';
import { dataSourceOptions } from './data-source-options.js';
import { makeDataSource } from './data-source.js';
import { DatabaseStartup } from './database-startup.js';
import { SchemaHooks } from './schema-hooks.js';

interface ModuleOptions {
  settings: Settings;
}

/** Provides one DataSource, connects it, and closes it when the application shuts down. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [SETTINGS],
      useFactory: async (settings: Settings): Promise<TypeOrmModuleOptions & ModuleOptions> => ({
        ...(await dataSourceOptions(settings)),
        manualInitialization: true,
        settings,
      }),
      dataSourceFactory: async (options): Promise<DataSource> => {
        const { settings, ...others } = options as DataSourceOptions & ModuleOptions;
        return makeDataSource(others, settings);
      },
    }),
  ],
  providers: [DatabaseStartup, SchemaHooks],
  exports: [DatabaseStartup, SchemaHooks],
})
export class DatabaseModule {}
