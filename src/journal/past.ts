import pg from 'pg';
import type { DataSource } from 'typeorm';
import { startDeadline, type DatabaseOpening } from '../database/opening.js';
import { queryPrepared } from '../database/prepared.js';
import { ChangePages, PAGE_LENGTH } from './change-pages.js';
import type { ChangeSignal } from './change-signal.js';
import type { Operation } from './journal.entity.js';
import type { Journaled, JournaledTable } from './journaled-table.js';

/** One change: what was done, when, by whom, and the record after it; of a deletion, before it. */
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

const LONGEST_SILENCE_MS = 15_000;

/** What was: the journal, read; again where a connection died. */
export class Past<T extends Journaled> {
  private readonly pages: ChangePages<Change<T>>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly opening: DatabaseOpening,
    private readonly signal: ChangeSignal,
    private readonly table: JournaledTable,
  ) {
    this.pages = new ChangePages(opening, async (since, deadline) => {
      const sql = `${CHANGES} ${AFTER}`;
      return this.show(await queryPrepared(dataSource, deadline, sql, [since, PAGE_LENGTH]));
    });
  }

  /** The changes of one record, newest first, from the version before `before`. */
  async history(id: number, limit: number, before: number | undefined): Promise<Change<T>[]> {
    return this.find(
      'WHERE record_id = $1 AND ($2::integer IS NULL OR version < $2) ORDER BY version DESC LIMIT $3',
      [id, before, limit],
    );
  }

  /** All changes after `since`, in the order of their commits, without a gap. */
  async changes(since: number, limit: number): Promise<Change<T>[]> {
    return this.find(AFTER, [since, limit]);
  }

  /**
   * The changes after `since` page by page, and then those to come, until `signal` aborts. A page is
   * empty where nothing happened for a while, and the same array for all who follow.
   */
  async *follow(since: number, signal: AbortSignal): AsyncGenerator<Change<T>[]> {
    let last = since;
    while (!signal.aborted) {
      const page = await this.pages.read(last);
      last = page.at(-1)?.seq ?? last;
      if (page.length) yield page;
      else if (!(await this.signal.wait(last, signal, LONGEST_SILENCE_MS))) yield [];
    }
  }

  /** Runs several reads, and all of them again if a connection failed, under one deadline. */
  async withinOneDeadline<R>(work: () => Promise<R>): Promise<R> {
    return this.opening.persist(work);
  }

  /** A record as it was at a time; undefined where there was none. */
  async findOneAt(id: number, time: Date): Promise<T | undefined> {
    const [change] = await this.find(
      'WHERE record_id = $1 AND at <= $2 ORDER BY version DESC LIMIT 1',
      [id, time],
    );
    if (!change || change.operation === 'delete') return undefined;
    return { ...change.record, version: change.version } as T;
  }

  /** SQL for all records as they were after the change `seq`, with their columns. */
  relationAt(seq: number): string {
    const { name, list } = this.table;
    return `(
      SELECT record_id AS id, ${list} FROM (
        SELECT DISTINCT ON (record_id) record_id, operation, record FROM journal
        WHERE seq <= ${seq} ORDER BY record_id, version DESC
      ) AS latest CROSS JOIN LATERAL
        (SELECT ${list} FROM json_populate_record(NULL::${name}, record)) AS known
      WHERE operation <> 'delete')`;
  }

  /** SQL for the records that one request changed, as it left them; deleted ones as they were. */
  relationOf(requestId: string): string {
    const { name, list } = this.table;
    return `(
      SELECT record_id AS id, ${list}
      FROM journal_request JOIN journal ON seq BETWEEN first_seq AND last_seq CROSS JOIN LATERAL
        (SELECT ${list} FROM json_populate_record(NULL::${name}, record)) AS known
      WHERE request_id = ${pg.escapeLiteral(requestId)})`;
  }

  /** The number of the last change at a time, 0 before the first. */
  async findSeqAt(time: Date, deadline = startDeadline()): Promise<number> {
    const sql = 'SELECT coalesce(max(last_seq), 0) AS seq FROM journal_request WHERE at <= $1';
    const [last] = await this.opening.persistUntil(deadline.endsAt, async () =>
      queryPrepared<{ seq: string }>(this.dataSource, deadline, sql, [time]),
    );
    return Number(last!.seq);
  }

  private async find(where: string, values: unknown[]): Promise<Change<T>[]> {
    return this.opening.persist(async () => this.select(where, values));
  }

  /** As `find`, for who does it again by himself. */
  private async select(where: string, values: unknown[]): Promise<Change<T>[]> {
    return this.show(await this.dataSource.query(`${CHANGES} ${where}`, values));
  }

  private show(rows: Row[]): Change<T>[] {
    const unknown = this.unknown();
    return rows.map((row) => {
      const { operation, version, at, by } = row;
      return { seq: Number(row.seq), operation, version, at, by, record: recordOf(row, unknown) };
    });
  }

  /** What a change says of a column that is younger than the change. */
  private unknown(): Record<string, null> {
    const { columns } = this.table;
    return Object.fromEntries(columns.map((name) => [name, null]));
  }
}

function recordOf<T extends Journaled>(row: Row, unknown: object): Omit<T, 'version'> {
  return { id: row.record_id, ...unknown, ...row.record } as unknown as Omit<T, 'version'>;
}
