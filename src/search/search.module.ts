import { Inject, Module, type DynamicModule, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseOpening } from '../database/opening.js';
import { Search } from './search.js';

const searchOf = (entity: Type) => `SearchOf${entity.name}`;

/** Injects the `Search` of an entity's records. */
export const InjectSearch = (entity: Type) => Inject(searchOf(entity));

/** Gives a room a search of its records, by the columns that hold text. */
@Module({})
export class SearchModule {
  static forFeature(entity: Type, columns: string[]): DynamicModule {
    const provider = {
      provide: searchOf(entity),
      inject: [getDataSourceToken(), DatabaseOpening],
      useFactory: (database: DataSource, opening: DatabaseOpening) =>
        new Search(database, opening, entity, columns),
    };
    return { module: SearchModule, providers: [provider], exports: [provider] };
  }
}
