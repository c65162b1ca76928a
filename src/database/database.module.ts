import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { openDataSource } from './open-data-source.js';

/** Makes one DataSource for everybody to inject, and closes it when the application ends. */
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({ ...dataSourceOptions, retryAttempts: 0 }),
      dataSourceFactory: async () => openDataSource(),
    }),
  ],
})
export class DatabaseModule {}
