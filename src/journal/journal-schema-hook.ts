import type { Settings } from '../config/settings.js';
import type { SchemaHook } from '../database/schema-hooks.js';
import { UnsafeSchemaChangeError } from '../database/schema-errors.js';
import { backfill } from './backfill.js';
import { distribute } from './distribute.js';
import { noteSystem } from './epoch.js';
import { isJournaled } from './journaled.js';
import type { JournaledTable } from './journaled-table.js';

/**
 * Prepares the journal of a table when the schema is brought up to date.
 * @throws {UnsafeSchemaChangeError} if a second entity is journaled: the entries of the journal do not
 * name their table.
 */
export function journalSchemaHook(
  table: JournaledTable,
  distribution: Settings['distribution'],
): SchemaHook {
  return async ({ connection, manager }) => {
    const journaled = connection.entityMetadatas.filter(({ target }) => isJournaled(target));
    if (journaled.length > 1) throw severalJournaled(journaled.map(({ name }) => name));
    await manager.query(
      'INSERT INTO journal_head (id, seq, at) VALUES (1, 0, now()) ON CONFLICT DO NOTHING',
    );
    await manager.query('INSERT INTO journal_retention (id) VALUES (1) ON CONFLICT DO NOTHING');
    if (distribution === 'citus') await distribute(manager, table);
    await noteSystem(manager, connection);
    await backfill(manager, table);
  };
}

function severalJournaled(names: string[]): UnsafeSchemaChangeError {
  return new UnsafeSchemaChangeError(
    `Only one entity can be journaled, and these are: ${names.join(', ')}. The journal's entries do not name ` +
      'their table. Remove @Journaled() from all but one of them.',
  );
}
