import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';
import type { DatabaseOpening } from '../database/opening.js';
import { retryWhileAway } from '../database/retry.js';
import type { Source } from '../query/statements.js';
import { findAbility } from './ability.js';
import { SearchIndex } from './search-index.js';
import { TextSearch } from './text-search.js';

/** Searches the texts of one table, by what its server has for that. */
export class Search implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(Search.name);
  private ready?: Promise<{ words: TextSearch; index: SearchIndex }>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly opening: DatabaseOpening,
    private readonly entity: EntityTarget<ObjectLiteral>,
    private readonly columns: string[],
  ) {}

  /** How to find `text` in the table, or in another relation with its columns. */
  async find(text: string, relation?: string): Promise<Source['search']> {
    const { words, index } = await this.prepare();
    if (relation) return words.find(text, relation);
    void index.renew();
    const parts = await retryWhileAway(async () => index.findParts());
    return words.find(text, index.table, parts);
  }

  /** To be called when there may be much that was not there before; nobody has to wait for it. */
  renewIndex(): void {
    const renew = async () => {
      const { index } = await this.prepare();
      await index.renew();
    };
    const warn = (error: unknown) => this.log.warn(`No search index was made: ${String(error)}`);
    // why the database was not opened is said by whoever opens it
    void this.opening.opened.then(async () => renew().catch(warn)).catch(() => undefined);
  }

  onApplicationBootstrap(): void {
    this.renewIndex();
  }

  async onModuleDestroy(): Promise<void> {
    const ready = await this.ready?.catch(() => undefined);
    await ready?.index.stop();
  }

  private async prepare() {
    this.ready ??= this.begin().catch((error: unknown) => {
      this.ready = undefined;
      throw error;
    });
    return this.ready;
  }

  private async begin() {
    const { dataSource, columns } = this;
    const { tableName } = dataSource.getMetadata(this.entity);
    const ability = await findAbility(dataSource);
    return {
      words: new TextSearch(dataSource, columns, ability),
      index: new SearchIndex(dataSource, tableName, columns, ability),
    };
  }
}
