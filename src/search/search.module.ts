import { Inject, Module, type DynamicModule, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseStartup } from '../database/database-startup.js';
import { SchemaHooks } from '../database/schema-hooks.js';
import { searchSchemaHook } from './search-capabilities.js';
import { Search } from './search.js';

/** The injection token of an entity's `Search`. */
export const searchToken = (entity: Type) => `SearchOf${entity.name}`;

/** Injects the `Search` of an entity. */
export const InjectSearch = (entity: Type) => Inject(searchToken(entity));

const modules = new Map<Type, DynamicModule>();

/** Provides the search of an entity: of its columns that are declared with `isSearched`. */
@Module({})
export class SearchModule {
  /** Returns the same module for every caller, so that all of them share one search. */
  static forFeature(entity: Type): DynamicModule {
    const known = modules.get(entity);
    if (known) return known;
    const provider = {
      provide: searchToken(entity),
      inject: [getDataSourceToken(), DatabaseStartup, SchemaHooks],
      useFactory: (dataSource: DataSource, database: DatabaseStartup, hooks: SchemaHooks) => {
        hooks.add(searchSchemaHook);
        return new Search(dataSource, database, entity);
      },
    };
    const module = { module: SearchModule, providers: [provider], exports: [provider] };
    modules.set(entity, module);
    return module;
  }
}
