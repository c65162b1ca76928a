import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { makeDataSource } from './open-data-source.js';
import { DatabaseOpening } from './opening.js';

/** Makes one DataSource for everybody to inject, opens it, and closes it when the application ends. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({ ...dataSourceOptions, manualInitialization: true }),
      dataSourceFactory: async () => makeDataSource(),
    }),
  ],
  providers: [DatabaseOpening],
  exports: [DatabaseOpening],
})
export class DatabaseModule {}
