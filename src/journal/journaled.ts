import type { EntityTarget } from 'typeorm';
import { prepareOnOpening } from '../database/preparations.js';
import { adopt } from './adoption.js';
import { JournaledTable, type Journaled as JournaledRecord } from './journaled-table.js';

/**
 * Marks an entity whose writes are remembered. It needs a column `version` with the default 0, which
 * marks what was written past the journal: each time the schema is brought up to date, such records
 * are taken over, in version 1 and with a first entry.
 */
export function Journaled() {
  return (entity: EntityTarget<JournaledRecord>): void => {
    prepareOnOpening(async ({ connection, manager }) => {
      await manager.query(
        'INSERT INTO journal_head (id, seq, at) VALUES (1, 0, now()) ON CONFLICT DO NOTHING',
      );
      await adopt(manager, new JournaledTable(connection, entity));
    });
  };
}
