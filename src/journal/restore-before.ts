import pg from 'pg';
import { ProblemError } from '../problems/problems.js';
import type { ChangeRange } from './change-counts.js';
import { assertNotLost, EPOCH_LENGTH } from './epoch.js';
import type { JournaledTable } from './journaled-table.js';
import type { SqlExecutor } from './write-request.js';

const MAX_SHOWN = 100;

interface LaterChange {
  id: number;
  seq: string;
  count: string;
}

/**
 * The head row must be locked. `seq` is its number.
 * @throws {ProblemError} `future_change`, `changes_lost`, `history_pruned`, or `changed_since` with the first later change of each record
 */
export async function assertLatest(
  executor: SqlExecutor,
  [first, last]: ChangeRange,
  seq: number,
): Promise<void> {
  if (last > seq) {
    throw new ProblemError(
      'future_change',
      `There is no change ${last} yet: the last one is ${seq}.`,
    );
  }
  await assertKept(executor, first);
  if (seq > EPOCH_LENGTH) await assertNotLost(executor, last);
  const later = (await executor.query(
    `SELECT record_id AS id, min(seq) AS seq, count(*) OVER () AS count FROM journal
     WHERE seq > $2 AND record_id IN (SELECT record_id FROM journal WHERE seq BETWEEN $1 AND $2)
     GROUP BY record_id ORDER BY min(seq) LIMIT ${MAX_SHOWN}`,
    [first, last],
  )) as LaterChange[];
  if (later.length) throw changedSince(later);
}

/** What the records were before a pruned change is not known. */
async function assertKept(executor: SqlExecutor, first: number): Promise<void> {
  const [pruned] = (await executor.query(
    'SELECT history_seq::float8 AS seq FROM journal_retention WHERE history_seq >= $1',
    [first],
  )) as { seq: number }[];
  if (!pruned) return;
  throw new ProblemError(
    'history_pruned',
    `What was before the change ${pruned.seq + 1} is no longer kept, so the change ${first} cannot be undone.`,
  );
}

function changedSince(later: LaterChange[]): ProblemError {
  const errors = later.map(({ id, seq }) => ({
    detail: `The record ${id} was changed later, by the change ${seq}.`,
  }));
  return new ProblemError(
    'changed_since',
    `${later[0]!.count} of the records were changed later. Nothing was restored. Undo the later changes first, or restore the records one by one.`,
    { errors },
  );
}

/**
 * For `journaledBulkWriteSql`: restores the records that the changes from $4 to $5 changed. Each of them must
 * be the latest change of its record, or be followed by another one of them.
 */
export function restoreBeforeSql(table: JournaledTable): string {
  const names = table.columns.map((name) => pg.escapeIdentifier(name));
  const assignments = names.map((name) => `${name} = excluded.${name}`);
  return `
    matching AS (
      SELECT record_id AS id, min(version) AS first_version, max(version) AS last_version
      FROM journal WHERE seq BETWEEN $4::bigint AND $5::bigint GROUP BY record_id),
    earlier AS (
      SELECT id, last_version + 1 AS version, coalesce(operation, 'delete') AS operation, record
      FROM matching LEFT JOIN LATERAL (
        SELECT operation, record FROM journal
        WHERE first_version > 1 AND record_id = matching.id AND version < first_version
        ORDER BY version DESC LIMIT 1) AS entry ON true),
    deleted AS (
      DELETE FROM ${table.name} AS record USING earlier
      WHERE record.id = earlier.id AND operation = 'delete'
      RETURNING record.id, ${table.listOf('record')}, earlier.version, 'delete' AS operation),
    restored AS (
      INSERT INTO ${table.name} AS record (id, version, ${table.list}) OVERRIDING SYSTEM VALUE
      SELECT earlier.id, earlier.version, ${table.listOf('columns')}
      FROM earlier CROSS JOIN LATERAL json_populate_record(NULL::${table.name}, record) AS columns
      WHERE operation <> 'delete'
      ON CONFLICT (id) DO UPDATE SET version = excluded.version, ${assignments.join(', ')}
      WHERE ROW(${table.listOf('record')}) IS DISTINCT FROM ROW(${table.listOf('excluded')})
      RETURNING record.id, ${table.listOf('record')}, record.version, 'restore' AS operation),
    changed AS (SELECT * FROM deleted UNION ALL SELECT * FROM restored)`;
}
