import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { Deadline } from '../pool/deadline.js';
import type { PooledClient } from '../pool/pool-types.js';
import type { RecyclingPool } from '../pool/recycling-pool.js';
import type { CountMode } from '../http/preferences.js';
import type { ListQuery } from '../query/list-query.js';
import { outputColumnOf } from '../query/select.js';
import {
  explainRows,
  nextAndPrevCursors,
  plannedRows,
  selectCount,
  selectPageBoundaries,
  selectRows,
  type PageBoundary,
  type Plan,
  type RowCounts,
  type Source,
  type Statement,
} from '../query/statements.js';
import { copyRows } from './copy-rows.js';
import { quoteNulls } from './quote-nulls.js';
import { copyStatement, inlineParameters, wrapLines, type Format } from './formats.js';

/** With `estimated`, a list that the planner takes for shorter than this is counted. */
const MAX_ESTIMATED_EXACTLY = 10_000;

/** A list as PostgreSQL executes it. */
export interface ListStatement {
  query: ListQuery;
  source: Source;
  format: Format;
  countMode?: CountMode;
}

/** What is known about a list besides its rows. */
export interface ListMetadata {
  /** The number of rows in the whole list, and from the cursor on. Undefined if they were not counted. */
  counts?: { total: number; remaining: number };
  /** The number of rows that the planner expects in the whole list. */
  plannedCount?: number;
  /** The number of rows that are sent, if it is known before. */
  rowCount?: number;
  /** The values of `after` for the next and the previous page. */
  cursors: { next?: string; previous?: string };
}

/**
 * Executes lists. PostgreSQL writes the text of the rows; it is read no faster than the client takes it,
 * so memory does not grow with the list. The metadata and the rows come from one snapshot.
 */
export class ListExecutor {
  /**
   * Opens a list on a server. The caller must close it. The statements end with `deadline`, and when `signal` aborts.
   */
  async open(
    pool: RecyclingPool,
    statement: ListStatement,
    signal: AbortSignal,
    deadline: Deadline,
  ): Promise<ListStream> {
    const ownDeadline = { ...deadline };
    const client = await pool.checkOut(ownDeadline);
    try {
      const isSnapshot = statement.countMode !== undefined || isPage(statement.query);
      if (isSnapshot) await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const metadata = await fetchMetadata(client, statement);
      const rows = this.copy(pool, client, statement, signal);
      return new ListStream(metadata, rows, { client, deadline: ownDeadline, isSnapshot });
    } catch (error) {
      client.release();
      throw error;
    }
  }

  private copy(
    pool: RecyclingPool,
    client: PooledClient,
    { query, source, format }: ListStatement,
    signal: AbortSignal,
  ) {
    const rows = inlineParameters(selectRows(query, source), pg.escapeLiteral);
    const sql = copyStatement(rows, query.select.map(outputColumnOf), format);
    const lines = copyRows(pool, client, sql, signal);
    if (format.rowsAre === 'csv') return quoteNulls(lines);
    return format.wrapper ? wrapLines(lines, format.wrapper) : lines;
  }
}

interface Resources {
  client: PooledClient;
  deadline: Deadline;
  isSnapshot: boolean;
}

/** A list with a connection of its own, until it is closed. */
export class ListStream {
  private readonly log = new Logger(ListStream.name);
  private isStarted = false;
  private isComplete = false;
  private isClosed = false;

  constructor(
    readonly metadata: ListMetadata,
    private readonly source: AsyncGenerator<Buffer>,
    private readonly resources: Resources,
  ) {}

  /** The rows in the requested format. They can be read once. */
  async *readRows(): AsyncGenerator<Buffer> {
    this.isStarted = true;
    yield* this.source;
    this.isComplete = true;
  }

  /** From now on the rows may take as long as the client needs to read them. */
  removeDeadline(): void {
    this.resources.deadline.statementsEndAt = Infinity;
  }

  /** The pool discards the connection if the rows were not read to their end. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const { client, isSnapshot } = this.resources;
    try {
      await this.source.return(undefined);
      if (isSnapshot && (this.isComplete || !this.isStarted)) await this.endSnapshot(client);
    } finally {
      client.release();
    }
  }

  /** All rows were read by then, so a failure matters to nobody but the pool, which notices it. */
  private async endSnapshot(client: PooledClient): Promise<void> {
    try {
      await client.query('COMMIT');
    } catch (error) {
      this.log.debug(`A snapshot was not ended: ${String(error)}`);
    }
  }
}

async function fetchMetadata(
  client: PooledClient,
  { query, source, countMode }: ListStatement,
): Promise<ListMetadata> {
  const fetch = async <R extends object>({ text, values }: Statement) =>
    (await client.query<R>(text, values)).rows;
  const plannedCount =
    countMode && countMode !== 'exact'
      ? plannedRows(await fetch<Plan>(explainRows(query, source)))
      : undefined;
  const isCounted =
    countMode === 'exact' || (countMode === 'estimated' && plannedCount! <= MAX_ESTIMATED_EXACTLY);
  const [counts] = isCounted ? await fetch<RowCounts>(selectCount(query, source)) : [];
  const page = isPage(query)
    ? readBoundaries(query, await fetch<PageBoundary>(selectPageBoundaries(query, source)))
    : { cursors: {} };
  return {
    counts: counts && { total: Number(counts.total), remaining: Number(counts.remaining) },
    plannedCount,
    ...page,
  };
}

function readBoundaries(query: ListQuery, boundaries: PageBoundary[]) {
  const fetchedCount = Number(boundaries[0]?.fetched_count ?? 0);
  return {
    cursors: nextAndPrevCursors(query, boundaries),
    rowCount: Math.min(fetchedCount, query.limit!),
  };
}

/** Whether there may be a next and a previous page. */
function isPage({ limit, order }: ListQuery): boolean {
  return Boolean(limit) && order.length > 0;
}
