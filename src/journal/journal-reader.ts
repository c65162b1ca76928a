import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import { queryPrepared } from '../database/prepared-statements.js';
import { ProblemError } from '../problems/problems.js';
import { ChangePages, PAGE_LENGTH } from './change-pages.js';
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

const CHANGES = `
  SELECT seq, operation, version, at, by, record_id, record
  FROM journal CROSS JOIN LATERAL (
    SELECT at, by FROM journal_request WHERE first_seq <= seq ORDER BY first_seq DESC LIMIT 1
  ) AS request`;

const AFTER = 'WHERE seq > $1 ORDER BY seq LIMIT $2';

const SEQ_AT = `
  SELECT greatest(history_seq, (SELECT coalesce(max(last_seq), 0) FROM journal_request WHERE at <= $1)) AS seq,
         history_from AS from
  FROM journal_retention`;

const HEARTBEAT_MS = 15_000;

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
      const sql = `${CHANGES} ${AFTER}`;
      return this.toChanges(await queryPrepared(dataSource, deadline, sql, [since, PAGE_LENGTH]));
    });
  }

  /** The changes of one record, newest first, before the version `before`. */
  async history(id: number, limit: number, before: number | undefined): Promise<Change<T>[]> {
    return this.fetch(
      'WHERE record_id = $1 AND ($2::integer IS NULL OR version < $2) ORDER BY version DESC LIMIT $3',
      [id, before, limit],
    );
  }

  /** All changes after `since`, in commit order, without gaps. */
  async changes(since: number, limit: number): Promise<Change<T>[]> {
    return this.fetch(AFTER, [since, limit]);
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
      const latest = 'WHERE record_id = $1 AND seq <= $2 ORDER BY version DESC LIMIT 1';
      return this.fetch(latest, [id, seq]);
    });
    if (!change || change.operation === 'delete') return undefined;
    return { ...change.record, version: change.version } as T;
  }

  /** SQL for all records after the change `seq`. */
  relationAt(seq: number): string {
    const { list } = this.table;
    return `(
      SELECT record_id AS id, ${list}, version FROM (
        SELECT DISTINCT ON (record_id) record_id, version, operation, record FROM journal
        WHERE seq <= ${seq} ORDER BY record_id, version DESC
      ) AS latest CROSS JOIN LATERAL
        ${this.columnsOfRecord}
      WHERE operation <> 'delete')`;
  }

  /** SQL for the deleted records before their deletion, and its number `seq`. */
  deletedRelation(): string {
    const { name, list } = this.table;
    return `(
      SELECT record_id AS id, ${list}, version, seq FROM journal AS deletion CROSS JOIN LATERAL
        ${this.columnsOfRecord}
      WHERE operation = 'delete'
        AND NOT EXISTS (SELECT FROM ${name} WHERE id = record_id)
        AND NOT EXISTS (
          SELECT FROM journal AS later
          WHERE later.record_id = deletion.record_id AND later.version > deletion.version))`;
  }

  /** SQL for the records that a request changed, after the request; deleted ones before it. */
  relationOf(requestId: string): string {
    const { list } = this.table;
    return `(
      SELECT record_id AS id, ${list}, version
      FROM journal_request JOIN journal ON seq BETWEEN first_seq AND last_seq CROSS JOIN LATERAL
        ${this.columnsOfRecord}
      WHERE request_id = ${pg.escapeLiteral(requestId)})`;
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

  /** SQL for the columns of the `record` of an entry. */
  private get columnsOfRecord(): string {
    const { name, list } = this.table;
    return `(SELECT ${list} FROM json_populate_record(NULL::${name}, record)) AS columns`;
  }

  private async fetch(where: string, values: unknown[]): Promise<Change<T>[]> {
    return this.database.withRetry(async () =>
      this.toChanges(await this.dataSource.query(`${CHANGES} ${where}`, values)),
    );
  }

  /** Columns that are newer than a change are null in its record. */
  private toChanges(rows: Row[]): Change<T>[] {
    const nulls = Object.fromEntries(this.table.columns.map((name) => [name, null]));
    return rows.map(({ record_id: id, record, seq, ...change }) => ({
      seq: Number(seq),
      ...change,
      record: { id, ...nulls, ...record } as unknown as Omit<T, 'version'>,
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
