import pg from 'pg';
import type { SqlExecutor } from './write-request.js';

/** How often a write is executed if the ids that it was assigned are taken. */
export const MAX_ID_ATTEMPTS = 3;

/** The sequence that generates the ids of a table, as SQL. The lookup takes longer than storing a record. */
export async function sequenceOf(executor: SqlExecutor, table: string): Promise<string> {
  const sql = `SELECT pg_get_serial_sequence($1, 'id') AS sequence`;
  const [found] = (await executor.query(sql, [table])) as { sequence: string | null }[];
  if (found?.sequence) return found.sequence;
  throw new Error(`The column id of ${table} has no sequence.`);
}

/** SQL for the next id of a sequence. */
export function nextIdSql(sequence: string): string {
  return `nextval(${pg.escapeLiteral(sequence)}::regclass)::integer`;
}

/**
 * Makes later ids larger than `id`. It must be called with the lock of the head row. A sequence is not
 * rolled back with its transaction.
 */
export async function advanceSequence(
  executor: SqlExecutor,
  table: string,
  id: number,
): Promise<void> {
  const sequence = await sequenceOf(executor, table);
  await executor.query(
    `SELECT setval($1::regclass, $2) FROM ${sequence} WHERE last_value < $2 OR NOT is_called`,
    [sequence, id],
  );
}

/**
 * Makes later ids larger than those of all records: another program may have stored records under ids of
 * its own.
 */
export async function advancePastRecords(executor: SqlExecutor, table: string): Promise<void> {
  const sql = `SELECT max(id) AS largest FROM ${table}`;
  const [records] = (await executor.query(sql, [])) as { largest: number | null }[];
  if (records!.largest !== null) await advanceSequence(executor, table, records!.largest);
}
