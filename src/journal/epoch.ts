import type { DataSource, EntityManager } from 'typeorm';
import { poolOf } from '../pool/recycling-pool.js';
import { TIMELINE_SQL } from '../pool/server-state.js';
import { ProblemError } from '../problems/problems.js';

/**
 * Changes are numbered on from a later number when another server, promoted without the last writes of the old one,
 * or a restored backup goes on. So no number ever means two different changes. Fewer changes than these are lost.
 */
export const EPOCH_LENGTH = 1_000_000_000;

/** SQL for the assignments of an update of the head row. */
export interface EpochSql {
  /** What is added to `seq`. */
  gap: string;
  /** Follows the other assignments. */
  assignment: string;
}

const WITH_TIMELINE: EpochSql = {
  gap: `CASE WHEN timeline <> ${TIMELINE_SQL} THEN ${EPOCH_LENGTH} ELSE 0 END`,
  assignment: `, timeline = ${TIMELINE_SQL}`,
};
const WITHOUT_TIMELINE: EpochSql = { gap: '0', assignment: '' };

/** Begins an epoch if the server was promoted since the last write. Servers without timelines never are. */
export function epochSql(dataSource: DataSource): EpochSql {
  return poolOf(dataSource).reportsHistory ? WITH_TIMELINE : WITHOUT_TIMELINE;
}

/** Begins an epoch if the data came from another server, as a restored backup does. */
export async function noteSystem(
  executor: Pick<EntityManager, 'query'>,
  dataSource: DataSource,
): Promise<void> {
  if (!poolOf(dataSource).reportsHistory) return;
  await executor.query(`
    UPDATE journal_head SET system = server.system, timeline = ${TIMELINE_SQL},
      seq = seq + CASE WHEN seq > 0 AND journal_head.system <> server.system THEN ${EPOCH_LENGTH} ELSE 0 END
    FROM (SELECT system_identifier::text AS system FROM pg_control_system()) AS server
    WHERE journal_head.system IS DISTINCT FROM server.system`);
}

/**
 * The change `seq` must be in the journal: who has seen a change that was lost cannot go on after it.
 * @throws {ProblemError} `changes_lost`.
 */
export async function assertNotLost(
  executor: Pick<EntityManager, 'query'>,
  seq: number,
): Promise<void> {
  if (seq === 0) return;
  const [{ isStored, next }] = (await executor.query(
    `SELECT EXISTS (SELECT FROM journal WHERE seq = $1)
              OR EXISTS (SELECT FROM journal_retention WHERE history_seq >= $1) AS "isStored",
            (SELECT min(seq) FROM journal WHERE seq > $1) AS next`,
    [seq],
  )) as [{ isStored: boolean; next: string | null }];
  if (isStored || next === null) return;
  throw new ProblemError(
    'changes_lost',
    `The change ${seq} was lost when another database server took over. Read everything again: ` +
      `the list, and then the changes since ${Number(next) - 1}.`,
  );
}
