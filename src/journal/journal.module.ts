import { Inject, Module, type DynamicModule, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseOpening } from '../database/opening.js';
import { ChangeSignal } from './change-signal.js';
import { GatheredWrites } from './gathered-writes.js';
import { Journal } from './journal.js';
import { JournaledTable, type Journaled } from './journaled-table.js';
import { Moments } from './moments.js';
import { Past } from './past.js';
import { Records } from './records.js';

const journalOf = (entity: Type) => `JournalOf${entity.name}`;
const pastOf = (entity: Type) => `PastOf${entity.name}`;
const recordsOf = (entity: Type) => `RecordsOf${entity.name}`;

/** Injects the `Journal` that writes an entity's records. */
export const InjectJournal = (entity: Type) => Inject(journalOf(entity));
/** Injects the `Past` of an entity's records. */
export const InjectPast = (entity: Type) => Inject(pastOf(entity));
/** Injects the `Records` of an entity, as they are now. */
export const InjectRecords = (entity: Type) => Inject(recordsOf(entity));

/** Gives a room the journal of its records, as `TypeOrmModule.forFeature` gives it their repository. */
@Module({})
export class JournalModule {
  static forFeature(entity: Type<Journaled>): DynamicModule {
    const inject = [getDataSourceToken(), DatabaseOpening, ChangeSignal];
    const tableOf = (dataSource: DataSource) => new JournaledTable(dataSource, entity);
    const providers = [
      Moments,
      ChangeSignal,
      {
        provide: journalOf(entity),
        inject,
        useFactory: (database: DataSource, opening: DatabaseOpening, signal: ChangeSignal) => {
          const table = tableOf(database);
          const gathered = new GatheredWrites<Journaled>(database, opening, table);
          return new Journal(database, opening, signal, table, gathered);
        },
      },
      {
        provide: pastOf(entity),
        inject,
        useFactory: (database: DataSource, opening: DatabaseOpening, signal: ChangeSignal) =>
          new Past(database, opening, signal, tableOf(database)),
      },
      {
        provide: recordsOf(entity),
        inject,
        useFactory: (database: DataSource, opening: DatabaseOpening) =>
          new Records(database, opening, tableOf(database)),
      },
    ];
    return { module: JournalModule, providers, exports: providers };
  }
}
