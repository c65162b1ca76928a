import type { Copy } from './copy-between.js';
import type { JournaledTable } from './journaled-table.js';

/** Copies of new records, and of their journal entries after `before`. `select` returns them with ids and versions. */
export function copiesOf(table: JournaledTable, select: string, before: number) {
  const numbered = `SELECT ${before} + row_number() OVER () AS seq, * FROM (${select}) AS staged`;
  const records: Copy = {
    from: `SELECT id, version, ${table.list} FROM (${select}) AS staged`,
    into: `${table.name} (id, version, ${table.list})`,
  };
  const entries: Copy = {
    from: `SELECT seq, id, version, 'create', ${table.jsonOf('numbered')} FROM (${numbered}) AS numbered`,
    into: 'journal (seq, record_id, version, operation, record)',
  };
  return { records, entries };
}

/** Inserts the journal entries of the changes in `numbered`, which have a `position` from 1. */
export function insertJournalEntriesSql(table: JournaledTable): string {
  return `
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT (SELECT before FROM head) + position, id, version, operation, ${table.jsonOf('numbered')}
      FROM numbered`;
}
