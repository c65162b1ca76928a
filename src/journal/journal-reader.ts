import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import { queryPrepared } from '../database/prepared-statements.js';
import { ProblemError } from '../problems/problems.js';
import { ChangePages, PAGE_LENGTH } from './change-pages.js';
import {
  AFTER,
  changesSql,
  LATEST_OF_RECORD,
  OF_RECORD,
  type Selection,
} from './change-selection.js';
import type { ChangeSignal } from './change-signal.js';
import { assertNotLost } from './epoch.js';
import type { Operation } from './journal.entity.js';
import type { Journaled, JournaledTable } from './journaled-table.js';

/** A change, and the record after it; for a deletion, before it. */
export interface Change<T extends Journaled> {
  seq: number;
  operation: Operation;
  version: number;
  at: Date;
  by: string | null;
  record: Omit<T, 'version'>;
}

interface Row {
  seq: string;
  operation: Operation;
  version: number;
  at: Date;
  by: string | null;
  record_id: number;
  record: object;
}

const SEQ_AT = `
  SELECT greatest(history_seq, (SELECT coalesce(max(last_seq), 0) FROM journal_request WHERE at <= $1)) AS seq,
         history_from AS from
  FROM journal_retention`;

const HEARTBEAT_MS = 15_000;
/** How long the commit of a transaction on several servers may take. */
const MAX_COMMIT_MS = 10_000;

/** Reads the journal. Reads are retried if a connection fails. */
export class JournalReader<T extends Journaled> {
  private readonly pages: ChangePages<Change<T>>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseStartup,
    private readonly signal: ChangeSignal,
    private readonly table: JournaledTable,
  ) {
    this.pages = new ChangePages(database, async (since, deadline) => {
      const sql = changesSql(AFTER);
      const rows = await queryPrepared<Row>(dataSource, deadline, sql, [since, PAGE_LENGTH]);
      return this.withoutUnfinished(this.toChanges(rows), since);
    });
  }

  /** The changes of one record, newest first, before the version `before`. */
  async history(id: number, limit: number, before: number | undefined): Promise<Change<T>[]> {
    return this.fetch(OF_RECORD, [id, before, limit]);
  }

  /** All changes after `since`, in commit order, without gaps. */
  async changes(since: number, limit: number): Promise<Change<T>[]> {
    return this.withoutUnfinished(await this.fetch(AFTER, [since, limit]), since);
  }

  /**
   * Yields pages of the changes after `since`, and then new changes until `signal` aborts. It yields an
   * empty page after 15 seconds without a change. All callers get the same arrays.
   * @throws {ProblemError} `changes_lost` if another server goes on without a change that was yielded.
   */
  async *follow(since: number, signal: AbortSignal): AsyncGenerator<Change<T>[]> {
    let last = since;
    while (!signal.aborted) {
      const page = await this.pages.read(last);
      if (page[0] && page[0].seq > last + 1) await this.assertNotLost(last);
      last = page.at(-1)?.seq ?? last;
      if (page.length) yield page;
      else if (!(await this.signal.wait(last, signal, HEARTBEAT_MS))) yield [];
    }
  }

  /** @throws {ProblemError} `changes_lost` if the change is not in the journal, and a later one is. */
  async assertNotLost(seq: number): Promise<void> {
    try {
      await this.database.withRetry(async () => assertNotLost(this.dataSource, seq));
    } catch (error) {
      this.pages.clear();
      throw error;
    }
  }

  /** Runs several reads under one deadline. All of them are retried if a connection fails. */
  async withinOneDeadline<R>(work: () => Promise<R>): Promise<R> {
    return this.database.withRetry(work);
  }

  /**
   * A record at a point in time; undefined if there was none.
   * @throws {ProblemError} `history_pruned`
   */
  async findOneAt(id: number, time: Date): Promise<T | undefined> {
    const [change] = await this.withinOneDeadline(async () => {
      const seq = await this.findSeqAt(time);
      return this.fetch(LATEST_OF_RECORD, [id, seq]);
    });
    if (!change || change.operation === 'delete') return undefined;
    return { ...change.record, version: change.version } as T;
  }

  /** SQL for all records after the change `seq`. */
  relationAt(seq: number): string {
    return `(
      SELECT record_id AS id, ${this.table.listIn('record')}, version FROM (
        SELECT DISTINCT ON (record_id) record_id, version, operation, record FROM journal
        WHERE seq <= ${seq} ORDER BY record_id, version DESC
      ) AS latest WHERE operation <> 'delete')`;
  }

  /** SQL for the deleted records before their deletion, and its number `seq`. */
  deletedRelation(): string {
    const { name } = this.table;
    return `(
      SELECT record_id AS id, ${this.table.listIn('record')}, version, seq FROM journal AS deletion
      WHERE operation = 'delete'
        AND NOT EXISTS (SELECT FROM ${name} WHERE id = record_id)
        AND NOT EXISTS (
          SELECT FROM journal AS later
          WHERE later.record_id = deletion.record_id AND later.version > deletion.version))`;
  }

  /** SQL for the records that a request changed, after the request; deleted ones before it. */
  relationOf(requestId: string): string {
    const boundary = (column: string) =>
      `(SELECT ${column} FROM journal_request WHERE request_id = ${pg.escapeLiteral(requestId)})`;
    return `(
      SELECT record_id AS id, ${this.table.listIn('record')}, version FROM journal
      WHERE seq BETWEEN ${boundary('first_seq')} AND ${boundary('last_seq')})`;
  }

  /** SQL for records that are not stored. */
  relationFrom(records: object[]): string {
    const { name, list } = this.table;
    const json = pg.escapeLiteral(JSON.stringify(records));
    return `(SELECT id, ${list}, version FROM json_populate_recordset(NULL::${name}, ${json}))`;
  }

  /**
   * The number of the last change at a point in time, 0 before the first.
   * @throws {ProblemError} `history_pruned`
   */
  async findSeqAt(time: Date, deadline = this.database.startDeadline()): Promise<number> {
    const [last] = await this.database.withRetryUntil(deadline.endsAt, async () =>
      queryPrepared<{ seq: string; from: Date | null }>(this.dataSource, deadline, SEQ_AT, [time]),
    );
    assertKept(time, last!.from);
    return Number(last!.seq);
  }

  private async fetch(selection: Selection, values: unknown[]): Promise<Change<T>[]> {
    return this.database.withRetry(async () =>
      this.toChanges(await this.dataSource.query(changesSql(selection), values)),
    );
  }

  /**
   * A transaction on several servers becomes visible on one after another: a change may be read before an earlier one.
   * Returns the changes before the first one that is missing, unless it has been missing for long.
   */
  private withoutUnfinished(changes: Change<T>[], since: number): Change<T>[] {
    if (!this.table.isDistributed) return changes;
    const finishedBefore = Date.now() - MAX_COMMIT_MS;
    const end = changes.findIndex(({ seq, at }, index) => {
      const previous = changes[index - 1]?.seq ?? since;
      return seq > previous + 1 && at.getTime() > finishedBefore;
    });
    return end < 0 ? changes : changes.slice(0, end);
  }

  /** Columns that are newer than a change are null in its record. */
  private toChanges(rows: Row[]): Change<T>[] {
    return rows.map(({ record_id: id, record, seq, ...change }) => ({
      seq: Number(seq),
      ...change,
      record: { id, ...this.table.recordOf(record) } as unknown as Omit<T, 'version'>,
    }));
  }
}

function assertKept(time: Date, from: Date | null): void {
  if (!from || time >= from) return;
  throw new ProblemError(
    'history_pruned',
    `What was before ${from.toISOString()} is no longer kept. Ask for a later time.`,
  );
}
