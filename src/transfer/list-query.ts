import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { DataSource } from 'typeorm';
import { withinDeadline, type Deadline } from '../database/deadline.js';
import { poolOf } from '../database/recycling-pool.js';
import type { Listing } from '../query/listing.js';
import {
  findNeighbours,
  selectCount,
  selectEdges,
  selectRows,
  type Counted,
  type Edge,
  type Source,
} from '../query/statements.js';
import { copyRows, enclose, fillIn, type Format } from './formats.js';

const CANCEL_TIMEOUT_MS = 1000;

/** What tells a list from that after the next change. */
export interface Version {
  seq: number;
  /** Where it is the same, so are the rows, whoever writes them. */
  state?: string;
}

/** What is asked of a list, of which rows, and how it is to be answered. */
export interface Question {
  listing: Listing;
  source: Source;
  format: Format;
  isCounted: boolean;
  /** That of the list or of an earlier one: read before its rows. */
  version?: Version;
}

/** An answer on its way. */
export interface OpenList {
  version?: Version;
  /** How many there are in all, and how many from this page on, where they were to be counted. */
  counted?: { total: number; beyond: number };
  /** Where the pages beside this one begin, as words for `after`. */
  neighbours: { next?: string; previous?: string };
  /** As they come, or all of them where they are few. */
  rows: AsyncIterable<Buffer> | Buffer;
  /** To be called before rows are streamed to a client: from then on they may take as long as they do. */
  keepOpen?: () => void;
}

/**
 * Asks PostgreSQL for a list. It writes the text, which is passed on as it comes, no faster than it is
 * taken: memory does not grow with the list. What is said about a list is true of exactly its rows.
 */
export class ListQuery {
  private readonly log = new Logger(ListQuery.name);

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Opens a list for as long as `use` takes; the query ends with `signal`, and with the deadline until
   * `keepOpen` is called.
   */
  async open<T>(
    question: Question,
    signal: AbortSignal,
    use: (list: OpenList) => Promise<T>,
    deadline: Deadline,
  ): Promise<T> {
    const own = { ...deadline };
    const client = await poolOf(this.dataSource).checkOut(own);
    const keepOpen = () => void (own.statementsEndAt = Infinity);
    try {
      const isSnapshot = question.isCounted || isPage(question.listing);
      if (isSnapshot) await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const about = await this.findOut(client, question);
      const rows = this.copy(client, question, signal);
      const used = await use({ ...about, rows, keepOpen });
      if (isSnapshot) await this.endSnapshot(client);
      return used;
    } finally {
      // one that is not through with its rows or its transaction is not taken back by the pool
      client.release();
    }
  }

  /** All was said by then: a connection that cannot even end is given up, and nobody needs to know. */
  private async endSnapshot(client: pg.PoolClient): Promise<void> {
    try {
      await client.query('COMMIT');
    } catch (error) {
      this.log.debug(`A snapshot did not end: ${String(error)}`);
    }
  }

  private async findOut(client: pg.PoolClient, question: Question) {
    const { listing, source, isCounted, version } = question;
    const ask = async <R>({ text, values }: { text: string; values: unknown[] }) =>
      (await client.query(text, values)).rows as R[];
    const [counts] = isCounted ? await ask<Counted>(selectCount(listing, source)) : [];
    const edges = isPage(listing) ? await ask<Edge>(selectEdges(listing, source)) : [];
    return {
      version,
      counted: counts && { total: Number(counts.total), beyond: Number(counts.beyond) },
      neighbours: findNeighbours(listing, edges),
    };
  }

  private copy(client: pg.PoolClient, question: Question, signal: AbortSignal) {
    const { listing, source, format } = question;
    const rows = fillIn(selectRows(listing, source), pg.escapeLiteral);
    const lines = this.passOn(client, copyRows(rows, format), signal);
    return format.enclosure ? enclose(lines, format.enclosure) : lines;
  }

  private async *passOn(client: pg.PoolClient, sql: string, signal: AbortSignal) {
    signal.throwIfAborted();
    const copy: Readable = client.query(copyTo(sql));
    const leave = () => copy.destroy(signal.reason as Error);
    signal.addEventListener('abort', leave);
    let isOver = false;
    try {
      yield* copy as AsyncIterable<Buffer>;
      isOver = true;
    } catch (error) {
      isOver = !signal.aborted;
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      if (!isOver) void this.cancel((client as unknown as { processID: number }).processID);
    }
  }

  /** PostgreSQL notices that nobody listens when it next writes, which may be long after. */
  private async cancel(processId: number): Promise<void> {
    try {
      await withinDeadline(CANCEL_TIMEOUT_MS, async () =>
        this.dataSource.query(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
           WHERE pid = $1 AND state = 'active' AND query LIKE 'COPY (%'`,
          [processId],
        ),
      );
    } catch (error) {
      this.log.warn(`A list that nobody waits for goes on: ${String(error)}`);
    }
  }
}

/** Whether there may be pages beside this one. */
function isPage({ limit, order }: Listing): boolean {
  return Boolean(limit) && order.length > 0;
}
