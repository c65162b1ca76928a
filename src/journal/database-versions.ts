import { Logger } from '@nestjs/common';
import { shareCalls, type Batcher } from '../database/batcher.js';
import type { DatabaseStartup } from '../database/database-startup.js';
import { queryPreparedOn } from '../database/prepared-statements.js';
import type { Deadline } from '../pool/deadline.js';
import { hasErrorCode } from '../pool/error-code.js';
import type { RecyclingPool } from '../pool/recycling-pool.js';

/** The state of the database at one time. */
export interface DatabaseVersion {
  /** The number of the last change, 0 before the first. */
  seq: number;
  /**
   * Two versions with the same snapshot have the same data, including what was written without the
   * journal. Undefined if the server does not report it.
   */
  snapshot?: string;
}

const SEQ = '(SELECT seq FROM journal_head) AS seq';

/**
 * A snapshot lists the transactions that it sees. On a primary, a later snapshot sees more of them. The
 * id of a rolled-back transaction may be assigned again after a crash, which ends with a checkpoint, or by
 * another server, which started at another time. The snapshots of a standby are not exact; it sees what it has
 * replayed of the log, of one timeline.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
 */
const SNAPSHOT = `CASE WHEN pg_is_in_recovery()
  THEN concat_ws(' ', pg_last_wal_replay_lsn(), (pg_control_checkpoint()).timeline_id,
                 (pg_control_checkpoint()).checkpoint_lsn)
  ELSE concat_ws(' ', pg_current_snapshot(), pg_postmaster_start_time(),
                 (pg_control_checkpoint()).checkpoint_lsn) END AS snapshot`;

const [WITH_SNAPSHOT, WITHOUT_SNAPSHOT] = [`SELECT ${SEQ}, ${SNAPSHOT}`, `SELECT ${SEQ}`];

/** Servers that are only compatible with PostgreSQL, or older than 13, lack those functions. */
const [UNDEFINED_FUNCTION, FEATURE_NOT_SUPPORTED, INSUFFICIENT_PRIVILEGE] = [
  '42883',
  '0A000',
  '42501',
];

/** Fetches the version of the data of one server. Concurrent calls share one query. */
export class DatabaseVersions {
  private readonly log = new Logger(DatabaseVersions.name);
  private readonly batcher: Batcher<true, DatabaseVersion>;
  /** The number of the last change that was seen. */
  lastSeq = 0;
  private hasSnapshots = true;

  constructor(
    private readonly pool: () => RecyclingPool,
    private readonly database: DatabaseStartup,
    /** The longest time to wait; the default is the deadline. */
    private readonly timeoutMs?: number,
  ) {
    this.batcher = shareCalls(database, async (deadline) => this.query(deadline), 'version');
  }

  /**
   * Resolves to a version that includes every write acknowledged before this call.
   * @throws {DeadlineExceededError} at `endsAt` at the latest.
   */
  fetch(endsAt?: number): Promise<DatabaseVersion> {
    if (this.timeoutMs === undefined) return this.batcher.load(true, endsAt);
    const timeoutAt = Date.now() + this.timeoutMs;
    return this.batcher.load(true, Math.min(endsAt ?? Infinity, timeoutAt));
  }

  private async query(deadline: Deadline): Promise<DatabaseVersion> {
    try {
      return await this.queryOnce(deadline);
    } catch (error) {
      if (!hasErrorCode(error, UNDEFINED_FUNCTION, FEATURE_NOT_SUPPORTED, INSUFFICIENT_PRIVILEGE))
        throw error;
      this.log.log(
        `Lists are not cached, because the server reports no snapshot: ${String(error)}`,
      );
      this.hasSnapshots = false;
      return this.queryOnce(deadline);
    }
  }

  private async queryOnce(deadline: Deadline): Promise<DatabaseVersion> {
    type Row = { seq: string | null; snapshot?: string | null };
    // the snapshot of one server tells nothing about tables on several
    const hasSnapshot = this.hasSnapshots && !this.database.isDistributed;
    const sql = hasSnapshot ? WITH_SNAPSHOT : WITHOUT_SNAPSHOT;
    const [row] = await queryPreparedOn<Row>(this.pool(), deadline, sql);
    this.lastSeq = Number(row!.seq ?? 0);
    return { seq: this.lastSeq, snapshot: row!.snapshot ?? undefined };
  }
}
