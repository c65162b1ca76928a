import type { Type } from '@nestjs/common';
import type { QueryColumn } from '../query/columns.js';
import type { QueryableResource } from '../query/list-query.js';
import { columnsOf } from './columns.js';

const ID: QueryColumn = { name: 'id', type: 'integer', isNeverNull: true, example: 1 };

/** Every journaled record has it, and single records have it as their `ETag`. */
const VERSION: QueryColumn = { name: 'version', type: 'integer', isNeverNull: true, example: 1 };

/** What lists of an entity can be filtered by, sorted by and made of: its id and its columns. */
export function queryableResource(entity: Type): QueryableResource {
  const columns = columnsOf(entity).map(({ name, type, example }) => ({ name, type, example }));
  return { columns: [ID, ...columns], hidden: [VERSION], unique: ID };
}
