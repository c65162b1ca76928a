import { Inject, Module, type DynamicModule, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { SETTINGS } from '../config/settings.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { SchemaHooks } from '../database/schema-hooks.js';
import { BulkJournal } from './bulk-journal.js';
import { ChangeSignal } from './change-signal.js';
import { DatabaseVersions } from './database-versions.js';
import { journalSchemaHook } from './journal-schema-hook.js';
import { JournalReader } from './journal-reader.js';
import { JournalTransaction } from './journal-transaction.js';
import { Journal } from './journal.js';
import { JournaledTable, type Journaled } from './journaled-table.js';
import { poolOf } from '../pool/recycling-pool.js';
import { ReadServers } from './read-servers.js';
import { Retention } from './retention.js';
import { RecordLoader } from './record-loader.js';
import { WriteBatcher } from './write-batcher.js';

/** The injection token of an entity's `Journal`. */
export const journalToken = (entity: Type) => `JournalOf${entity.name}`;
/** The injection token of an entity's `BulkJournal`. */
export const bulkJournalToken = (entity: Type) => `BulkJournalOf${entity.name}`;
const readerToken = (entity: Type) => `JournalReaderOf${entity.name}`;
const loaderToken = (entity: Type) => `RecordLoaderOf${entity.name}`;

/** Injects the `Journal` of an entity, which writes its records. */
export const InjectJournal = (entity: Type) => Inject(journalToken(entity));
/** Injects the `BulkJournal` of an entity, which writes many records. */
export const InjectBulkJournal = (entity: Type) => Inject(bulkJournalToken(entity));
/** Injects the `JournalReader` of an entity. */
export const InjectJournalReader = (entity: Type) => Inject(readerToken(entity));
/** Injects the `RecordLoader` of an entity. */
export const InjectRecordLoader = (entity: Type) => Inject(loaderToken(entity));

const modules = new Map<Type, DynamicModule>();

/** Provides the journal of an entity, as `TypeOrmModule.forFeature` provides its repository. */
@Module({})
export class JournalModule {
  /** Returns the same module for every caller, so that all of them share one journal. */
  static forFeature(entity: Type<Journaled>): DynamicModule {
    const known = modules.get(entity);
    if (known) return known;
    const module = { module: JournalModule, ...providersOf(entity) };
    modules.set(entity, module);
    return module;
  }
}

function providersOf(entity: Type<Journaled>) {
  const inject = [getDataSourceToken(), DatabaseStartup, ChangeSignal, SETTINGS];
  const tableOf = (dataSource: DataSource) => new JournaledTable(dataSource, entity);
  const providers = [
    {
      provide: DatabaseVersions,
      inject: [getDataSourceToken(), DatabaseStartup],
      useFactory: (dataSource: DataSource, database: DatabaseStartup) =>
        new DatabaseVersions(() => poolOf(dataSource), database),
    },
    ReadServers,
    Retention,
    ChangeSignal,
    {
      provide: journalToken(entity),
      inject: [...inject, SchemaHooks],
      useFactory: (
        dataSource: DataSource,
        database: DatabaseStartup,
        signal: ChangeSignal,
        { poolSize, distribution }: Settings,
        hooks: SchemaHooks,
      ) => {
        const table = tableOf(dataSource);
        hooks.add(journalSchemaHook(table, distribution));
        const batcher = new WriteBatcher<Journaled>(dataSource, database, table, poolSize);
        const transaction = new JournalTransaction(dataSource, signal);
        return new Journal(dataSource, database, signal, table, batcher, transaction);
      },
    },
    {
      provide: bulkJournalToken(entity),
      inject,
      useFactory: (dataSource: DataSource, database: DatabaseStartup, signal: ChangeSignal) =>
        new BulkJournal(database, new JournalTransaction(dataSource, signal), tableOf(dataSource)),
    },
    {
      provide: readerToken(entity),
      inject,
      useFactory: (dataSource: DataSource, database: DatabaseStartup, signal: ChangeSignal) =>
        new JournalReader(dataSource, database, signal, tableOf(dataSource)),
    },
    {
      provide: loaderToken(entity),
      inject: [getDataSourceToken(), DatabaseStartup, ReadServers],
      useFactory: (dataSource: DataSource, database: DatabaseStartup, servers: ReadServers) =>
        new RecordLoader(database, servers, tableOf(dataSource)),
    },
  ];
  return { providers, exports: providers };
}
