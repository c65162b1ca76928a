import type { Type } from '@nestjs/common';
import { columnsOf, type ResourceColumn } from '../resource/columns.js';
import { MAX_CHOSEN_ID } from '../resource/resource.js';
import { IsIntegerMember, IsOptionalNotNull, IsTrimmedText } from './value-rules.js';

/** The members of a record that a client sends. Without an id, the service assigns one. */
export type Writable<T> = Omit<T, 'id' | 'version'> & { id?: number | null };

/**
 * The class of bodies that create or replace a record: the columns of the entity with their rules.
 * A column that is not required and not sent is null.
 */
export function CreateDto<T>(entity: Type<T>): Type<Writable<T>> {
  const columns = columnsOf(entity);
  const optional = columns.filter(({ isRequired }) => !isRequired);
  const defaults = Object.fromEntries(optional.map(({ name }) => [name, null]));
  class Dto {
    constructor() {
      Object.assign(this, defaults);
    }
  }
  for (const column of columns) ruleOf(column)(Dto.prototype, column.name);
  declareId(Dto.prototype);
  return Dto as Type<Writable<T>>;
}

/** The class of bodies that change a record: only what is sent changes (RFC 7396). */
export function UpdateDto<T>(entity: Type<T>): Type<Partial<Writable<T>>> {
  class Dto {}
  for (const column of columnsOf(entity)) {
    IsOptionalNotNull()(Dto.prototype, column.name);
    ruleOf(column)(Dto.prototype, column.name);
  }
  declareId(Dto.prototype);
  return Dto;
}

function declareId(prototype: object): void {
  IsOptionalNotNull()(prototype, 'id');
  IsIntegerMember({ min: 1, max: MAX_CHOSEN_ID })(prototype, 'id');
}

function ruleOf(column: ResourceColumn): PropertyDecorator {
  return column.type === 'text' ? IsTrimmedText(column) : IsIntegerMember(column);
}
