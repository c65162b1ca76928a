import {
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Type,
} from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import type { SearchMatch } from '../query/statements.js';
import { columnsOf } from '../resource/columns.js';
import { detectCapabilities } from './search-capabilities.js';
import { SearchIndex } from './search-index.js';
import { TextSearch } from './text-search.js';

/** Searches the text columns of an entity, with what its server supports. */
export class Search implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(Search.name);
  private prepared?: Promise<{ text: TextSearch; index: SearchIndex }>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseStartup,
    private readonly entity: Type,
  ) {}

  /** How the words of `text` are matched in a relation: the table, or a query with its columns. */
  async find(text: string, relation: string): Promise<SearchMatch> {
    const prepared = await this.prepare();
    const { index } = prepared;
    if (relation !== index.table) return prepared.text.find(text, relation);
    const parts = await this.database.retry.transient(async () => index.findParts());
    void index.renew();
    return prepared.text.find(text, relation, parts);
  }

  /** Call it when many rows may be new. Builds a new index in the background, if it is worth it. */
  renewIndex(): void {
    const renew = async () => {
      if (!this.database.isEnding) await (await this.prepare()).index.renew();
    };
    const warn = (error: unknown) =>
      this.log.warn(`The search index was not built: ${String(error)}`);
    // a failed startup is reported by its caller
    void this.database.ready.then(async () => renew().catch(warn)).catch(() => undefined);
  }

  onApplicationBootstrap(): void {
    this.renewIndex();
  }

  async onModuleDestroy(): Promise<void> {
    const prepared = await this.prepared?.catch(() => undefined);
    await prepared?.index.stop();
  }

  private async prepare() {
    this.prepared ??= this.prepareOnce().catch((error: unknown) => {
      this.prepared = undefined;
      throw error;
    });
    return this.prepared;
  }

  private async prepareOnce() {
    const { dataSource, database, entity } = this;
    const { tableName } = dataSource.getMetadata(entity);
    const columns = columnsOf(entity).flatMap(({ name, isSearched }) => (isSearched ? name : []));
    const capabilities = await detectCapabilities(dataSource);
    return {
      text: new TextSearch(dataSource, database.retry, columns, capabilities),
      index: new SearchIndex(
        database.direct,
        tableName,
        columns,
        capabilities,
        database.deadlineMs,
      ),
    };
  }
}
