import { ProblemError } from '../problems/problems.js';
import type { ChangeRange } from './change-counts.js';
import { assertNotLost, EPOCH_LENGTH } from './epoch.js';
import type { JournaledTable } from './journaled-table.js';
import { columnsIn, planColumns, type Plan } from './plan.js';
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
 * Restores the records that a range of changes changed. Each of these must be the latest change of its record, or be
 * followed by another one of them.
 */
export function planRestoreBefore(table: JournaledTable, range: ChangeRange): Plan {
  const current = columnsIn('record');
  const restored = (name: string) => table.valueIn('earlier.record', name);
  const isDeletion = `earlier.operation = 'delete'`;
  const isStored = 'record.id IS NOT NULL';
  const values = table.columns.map(restored);
  const isSame = `${isStored} AND ROW(${table.listOf('record')}) IS NOT DISTINCT FROM ROW(${values.join(', ')})`;
  const columns = planColumns(
    table,
    {
      id: 'earlier.id',
      version: 'earlier.version',
      operation: `CASE WHEN ${isDeletion} AND ${isStored} THEN 'delete'
                       WHEN ${isDeletion} OR ${isSame} THEN 'none' ELSE 'restore' END`,
      value: (name) => `CASE WHEN ${isDeletion} THEN ${current(name)} ELSE ${restored(name)} END`,
    },
    isStored,
  );
  return {
    text: `${EARLIER_SQL} SELECT ${columns}
    FROM earlier LEFT JOIN ${table.name} AS record ON record.id = earlier.id`,
    values: range,
  };
}

/** What the records were before the changes from $1 to $2, and the version that follows their last one. */
const EARLIER_SQL = `
  WITH matching AS (
    SELECT record_id AS id, min(version) AS first_version, max(version) AS last_version
    FROM journal WHERE seq BETWEEN $1::bigint AND $2::bigint GROUP BY record_id),
  earlier AS (
    SELECT id, last_version + 1 AS version, coalesce(operation, 'delete') AS operation, entry.record
    FROM matching LEFT JOIN LATERAL (
      SELECT operation, record FROM journal
      WHERE first_version > 1 AND record_id = matching.id AND version < first_version
      ORDER BY version DESC LIMIT 1) AS entry ON true)`;
