import { Inject, Module, type DynamicModule, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ChangeSignal } from './change-signal.js';
import { Journal } from './journal.js';
import type { Journaled } from './journaled-table.js';
import { Past } from './past.js';

const journalOf = (entity: Type) => `JournalOf${entity.name}`;
const pastOf = (entity: Type) => `PastOf${entity.name}`;

/** Injects the `Journal` that writes an entity's records. */
export const InjectJournal = (entity: Type) => Inject(journalOf(entity));
/** Injects the `Past` of an entity's records. */
export const InjectPast = (entity: Type) => Inject(pastOf(entity));

/** Gives a room the journal of its records, as `TypeOrmModule.forFeature` gives it their repository. */
@Module({})
export class JournalModule {
  static forFeature(entity: Type<Journaled>): DynamicModule {
    const providers = [
      ChangeSignal,
      {
        provide: journalOf(entity),
        inject: [getDataSourceToken(), ChangeSignal],
        useFactory: (database: DataSource, signal: ChangeSignal) =>
          new Journal(database, signal, entity),
      },
      {
        provide: pastOf(entity),
        inject: [getDataSourceToken(), ChangeSignal],
        useFactory: (database: DataSource, signal: ChangeSignal) =>
          new Past(database, signal, entity),
      },
    ];
    return { module: JournalModule, providers, exports: providers };
  }
}
