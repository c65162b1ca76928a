import type { Type } from '@nestjs/common';
import type { Journaled as JournaledRecord } from './journaled-table.js';

const journaledEntities = new Set<Function>();

/**
 * Marks an entity whose changes are journaled. It needs a column `version` with the default 0, which
 * marks records that were written without the journal: each time the schema is brought up to date, they
 * get version 1 and a journal entry.
 */
export function Journaled() {
  return (entity: Type<JournaledRecord>): void => void journaledEntities.add(entity);
}

/** Whether an entity is marked with `@Journaled()`. */
export function isJournaled(entity: Function | string): boolean {
  return typeof entity === 'function' && journaledEntities.has(entity);
}
