import { ProblemError } from '../problems/problems.js';
import type { Operation } from './journal.entity.js';
import type { SqlExecutor } from './write-request.js';

interface Entry {
  version: number;
  operation: Operation;
  record: object;
}

/** The entry of a record with a version, or the latest one. */
export async function findEntry(
  executor: SqlExecutor,
  id: number,
  version?: number,
): Promise<Entry | undefined> {
  const sql = `SELECT version, operation, record FROM journal
               WHERE record_id = $1 AND ($2::integer IS NULL OR version = $2)
               ORDER BY version DESC LIMIT 1`;
  const [entry] = (await executor.query(sql, [id, version])) as Entry[];
  return entry;
}

/** @throws {ProblemError} `not_deleted` if the latest entry of a record is no deletion. */
export function assertDeleted(latest: Entry): Entry {
  if (latest.operation === 'delete') return latest;
  throw new ProblemError(
    'not_deleted',
    'The record is not deleted. To restore an earlier version, name it, as in ?version=2.',
  );
}
