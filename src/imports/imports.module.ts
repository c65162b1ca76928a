import { Inject, Module, type DynamicModule, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { SETTINGS } from '../config/settings.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import type { BulkJournal } from '../journal/bulk-journal.js';
import { ChangeSignal } from '../journal/change-signal.js';
import { JournalTransaction } from '../journal/journal-transaction.js';
import { bulkJournalToken, JournalModule } from '../journal/journal.module.js';
import type { Journaled } from '../journal/journaled-table.js';
import type { Search } from '../search/search.js';
import { SearchModule, searchToken } from '../search/search.module.js';
import { ImportRules } from './import-rules.js';
import { Importer } from './importer.js';

const importerToken = (entity: Type) => `ImporterOf${entity.name}`;

/** Injects the `Importer` of an entity. */
export const InjectImporter = (entity: Type) => Inject(importerToken(entity));

/** Provides the importer of an entity to a module. */
@Module({})
export class ImportsModule {
  static forFeature(entity: Type<Journaled>): DynamicModule {
    const provider = {
      provide: importerToken(entity),
      inject: [
        getDataSourceToken(),
        DatabaseStartup,
        ChangeSignal,
        bulkJournalToken(entity),
        searchToken(entity),
        SETTINGS,
      ],
      useFactory: (
        dataSource: DataSource,
        database: DatabaseStartup,
        signal: ChangeSignal,
        journal: BulkJournal<Journaled>,
        search: Search,
        { poolSize }: Settings,
      ) =>
        new Importer(
          dataSource,
          database,
          new JournalTransaction(dataSource, signal),
          journal,
          search,
          new ImportRules(entity),
          poolSize,
        ),
    };
    const imports = [JournalModule.forFeature(entity), SearchModule.forFeature(entity)];
    return { module: ImportsModule, imports, providers: [provider], exports: [provider] };
  }
}
