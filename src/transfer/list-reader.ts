import type { Readable } from 'node:stream';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { DataSource, type QueryRunner } from 'typeorm';
import { DatabaseOpening } from '../database/opening.js';
import { SharedReads } from '../database/shared-reads.js';
import { readWhole } from '../http/list-reply.js';
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

/** How a list is to be read. */
export interface Reading {
  format: Format;
  isCounted: boolean;
  /** Ends the query where it aborts. */
  signal: AbortSignal;
  /** Whether the answer has begun, so that the list cannot be read again. */
  isTooLate: () => boolean;
  /** The same for all who may be given the same bytes; undefined where nobody may. */
  sharedAs?: string;
}

/** What is asked of a list, of which rows, and how it is to be answered. */
interface Question extends Pick<Reading, 'format' | 'isCounted'> {
  listing: Listing;
  source: Source;
}

/** An answer on its way. */
export interface OpenList {
  /** How many there are in all, and how many from this page on, where they were to be counted. */
  counted?: { total: number; beyond: number };
  /** Where the pages beside this one begin, as words for `after`. */
  neighbours: { next?: string; previous?: string };
  rows: AsyncIterable<Buffer>;
}

export type Use = (list: OpenList) => Promise<void>;

/** A list that was long a while ago is not tried as a short one. */
const LONG_FOR_MS = 60_000;
const LONG_LISTS_KEPT = 1000;

/**
 * Reads lists. PostgreSQL writes the text and it is passed on as it comes, no faster than it is taken:
 * memory does not grow with the list. What is said about a list is true of exactly its rows.
 *
 * A short list is read once for all who ask for it at once.
 */
@Injectable()
export class ListReader {
  private readonly log = new Logger(ListReader.name);

  private readonly shared: SharedReads<OpenList | undefined>;
  private readonly longUntil = new Map<string, number>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly opening: DatabaseOpening,
  ) {
    this.shared = new SharedReads(opening);
  }

  /** Opens a list of what `findSource` finds for as long as `use` takes. */
  async read(
    listing: Listing,
    findSource: () => Promise<Source>,
    reading: Reading,
    use: Use,
  ): Promise<void> {
    const { format, isCounted, signal } = reading;
    const open = async <T>(until: AbortSignal, useIt: (list: OpenList) => Promise<T>) =>
      this.open({ listing, source: await findSource(), format, isCounted }, until, useIt);
    const short = await this.readShort(reading, async (until) => open(until, keep));
    if (short) await use(short);
    else await this.opening.persist(async () => open(signal, use), reading.isTooLate);
  }

  /** Undefined where it is too long to be kept. */
  private async readShort(
    { sharedAs, signal }: Reading,
    ask: (signal: AbortSignal) => Promise<OpenList | undefined>,
  ): Promise<OpenList | undefined> {
    if (sharedAs === undefined || Date.now() < (this.longUntil.get(sharedAs) ?? 0))
      return undefined;
    const short = await this.shared.read(sharedAs, { signal, ask });
    if (short) return short;
    if (this.longUntil.size >= LONG_LISTS_KEPT) this.longUntil.clear();
    this.longUntil.set(sharedAs, Date.now() + LONG_FOR_MS);
    return undefined;
  }

  /** The query ends with `signal`. */
  private async open<T>(
    question: Question,
    signal: AbortSignal,
    use: (list: OpenList) => Promise<T>,
  ): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const isSnapshot = question.isCounted || isPage(question.listing);
      if (isSnapshot) await beginSnapshot(runner);
      const about = await this.findOut(runner, question);
      const used = await use({ ...about, rows: this.copy(runner, question, signal) });
      if (isSnapshot) await this.endSnapshot(runner);
      return used;
    } finally {
      // one that is not through with its rows or its transaction is not taken back by the pool
      await runner.release();
    }
  }

  /** All was said by then: a connection that cannot even end is given up, and nobody needs to know. */
  private async endSnapshot(runner: QueryRunner): Promise<void> {
    try {
      await runner.commitTransaction();
    } catch (error) {
      this.log.debug(`A snapshot did not end: ${String(error)}`);
    }
  }

  private async findOut(runner: QueryRunner, { listing, source, isCounted }: Question) {
    const ask = async <R>({ text, values }: { text: string; values: unknown[] }) =>
      (await runner.query(text, values)) as R[];
    const [counts] = isCounted ? await ask<Counted>(selectCount(listing, source)) : [];
    const edges = isPage(listing) ? await ask<Edge>(selectEdges(listing, source)) : [];
    return {
      counted: counts && { total: Number(counts.total), beyond: Number(counts.beyond) },
      neighbours: findNeighbours(listing, edges),
    };
  }

  private copy(runner: QueryRunner, question: Question, signal: AbortSignal) {
    const { listing, source, format } = question;
    const rows = fillIn(selectRows(listing, source), pg.escapeLiteral);
    const lines = this.passOn(runner, copyRows(rows, format), signal);
    return format.enclosure ? enclose(lines, format.enclosure) : lines;
  }

  private async *passOn(runner: QueryRunner, sql: string, signal: AbortSignal) {
    const client = (await runner.connect()) as pg.PoolClient & { processID: number };
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
      if (!isOver) await this.cancel(client.processID);
    }
  }

  /** PostgreSQL notices that nobody listens when it next writes, which may be long after. */
  private async cancel(processId: number): Promise<void> {
    try {
      await this.dataSource.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE pid = $1 AND state = 'active' AND query LIKE 'COPY (%'`,
        [processId],
      );
    } catch (error) {
      this.log.warn(`A list that nobody waits for goes on: ${String(error)}`);
    }
  }
}

/** A list whose rows can be read any number of times; undefined where they are too many. */
async function keep({ rows, ...about }: OpenList): Promise<OpenList | undefined> {
  const whole = await readWhole(rows);
  return whole && { ...about, rows: only(whole) };
}

function only(chunk: Buffer): AsyncIterable<Buffer> {
  return {
    [Symbol.asyncIterator]: async function* once() {
      yield chunk;
    },
  };
}

/** Whether there may be pages beside this one. */
function isPage({ limit, order }: Listing): boolean {
  return Boolean(limit) && order.length > 0;
}

async function beginSnapshot(runner: QueryRunner): Promise<void> {
  await runner.startTransaction('REPEATABLE READ');
  await runner.query('SET TRANSACTION READ ONLY');
}
