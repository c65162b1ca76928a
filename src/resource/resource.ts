import { getMetadataArgsStorage } from 'typeorm';
import type { Type } from '@nestjs/common';
import { columnsOf, type ResourceColumn } from './columns.js';

/** The largest number that PostgreSQL's integer holds, and so the largest id. */
export const MAX_ID = 2_147_483_647;

/** The largest id that a client may choose. Larger ones are left to the service, which would run out of ids. */
export const MAX_CHOSEN_ID = 2_000_000_000;

interface ResourceOptions {
  /** The member of a JSON answer that holds a list of the resource. */
  listMember: string;
  /** Two records with the same values in these columns describe the same thing. */
  naturalKey: string[];
}

/** A table that clients read and write, as its entity declares it. */
export interface ResourceDefinition extends ResourceOptions {
  entity: Type;
  table: string;
  columns: ResourceColumn[];
}

const optionsByEntity = new WeakMap<Function, ResourceOptions>();

/** Marks an entity as a resource with the columns that are declared by `@TextColumn` and the like. */
export function Resource(options: ResourceOptions): ClassDecorator {
  return (entity) => void optionsByEntity.set(entity, options);
}

/** @throws {Error} if the entity is not marked with `@Resource()`. */
export function resourceOf(entity: Type): ResourceDefinition {
  const options = optionsByEntity.get(entity);
  if (!options) throw new Error(`${entity.name} is no resource: mark it with @Resource().`);
  return { entity, table: tableOf(entity), columns: columnsOf(entity), ...options };
}

function tableOf(entity: Type): string {
  const { tables } = getMetadataArgsStorage();
  return tables.find(({ target }) => target === entity)?.name ?? entity.name.toLowerCase();
}
