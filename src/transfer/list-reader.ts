import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { runWithDeadline, type Deadline } from '../database/deadline.js';
import { DatabaseOpening } from '../database/opening.js';
import { SharedReads, whenAllLeave, type OnLeave } from '../database/shared-reads.js';
import { Slots } from '../database/slots.js';
import { environment } from '../environment.js';
import { readWhole } from '../http/list-reply.js';
import type { Listing } from '../query/listing.js';
import type { Source } from '../query/statements.js';
import type { Format } from './formats.js';
import { ListQuery, type OpenList, type Question, type Version } from './list-query.js';

/** How a list is to be read. */
export interface Reading {
  format: Format;
  isCounted: boolean;
  /** False if only what is said about the rows is wanted. */
  needsRows: boolean;
  /** The response begins before it, or never. */
  deadline: Deadline;
  /** A query that nobody waits for any more is ended. */
  onLeave: OnLeave;
  /** Whether the answer has begun, so that the list cannot be read again. */
  isTooLate: () => boolean;
  /** The same for all who may be given the same bytes; undefined where nobody may. */
  sharedAs?: string;
  findVersion?: (endsAt: number) => Promise<Version>;
}

export type Use = (list: OpenList) => Promise<void>;

type FindQuestion = (version: Version | undefined, deadline: Deadline) => Promise<Question>;

interface ShortList extends OpenList {
  rows: Buffer;
}

const KEPT_LISTS = 1000;
const KEPT_LISTS_BYTES = 16_777_216;

/** A list that was long a while ago is not tried as a short one. */
const LONG_FOR_MS = 60_000;
const LONG_LISTS_KEPT = 1000;

/** How many long lists may wait for one that is being sent. */
const MAX_WAITING_LISTS = 1000;

/** Clients that read slowly keep all places for long lists. */
class TooManyLongLists extends ServiceUnavailableException {
  constructor() {
    super('Too many long lists are being read: try again in a moment, or ask for pages by limit.');
  }
}

/**
 * Reads lists: a short one once for all who ask for it at once, and again only where something was
 * committed since; a long one for each as it is taken. A client decides how long it takes a long list,
 * and its connection for so long: only a quarter of the pool is used for that.
 */
@Injectable()
export class ListReader {
  private readonly query: ListQuery;
  private readonly shared: SharedReads<ShortList | undefined>;
  private readonly kept = new LRUCache<string, ShortList>({
    max: KEPT_LISTS,
    maxSize: KEPT_LISTS_BYTES,
    sizeCalculation: ({ rows }, sharedAs) => rows.length + sharedAs.length,
  });
  private readonly long = new LRUCache<string, true>({ max: LONG_LISTS_KEPT, ttl: LONG_FOR_MS });
  private readonly longLists = new Slots<void>(
    Math.ceil(environment.poolSize / 4),
    MAX_WAITING_LISTS,
  );

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly opening: DatabaseOpening,
  ) {
    this.query = new ListQuery(dataSource);
    this.shared = new SharedReads(opening);
  }

  /**
   * Opens a list of what `findSource` finds for as long as `use` takes.
   * @throws {DeadlineExceeded} if the database did not answer in time.
   * @throws {ServiceUnavailableException} if all places for long lists stay taken.
   */
  async read(
    listing: Listing,
    findSource: () => Promise<Source>,
    reading: Reading,
    use: Use,
  ): Promise<void> {
    const { format, isCounted } = reading;
    const findQuestion: FindQuestion = async (version, deadline) => {
      // a search asks by itself; all other sources are known without a query
      const source = await (listing.search ? runWithDeadline(deadline, findSource) : findSource());
      return { listing, source, format, isCounted, version };
    };
    if (!reading.needsRows) return this.open(reading, findQuestion, use);
    const short = await this.readShort(reading, findQuestion);
    if (short) return use(short);
    await this.waitForPlace(reading.deadline);
    try {
      await this.open(reading, findQuestion, use);
    } finally {
      this.longLists.giveBack();
    }
  }

  private async waitForPlace({ endsAt }: Deadline): Promise<void> {
    try {
      await this.longLists.take(endsAt - Date.now());
    } catch {
      // it took too long, or too many wait
      throw new TooManyLongLists();
    }
  }

  private async open<T>(
    { deadline, findVersion, onLeave, isTooLate }: Reading,
    findQuestion: FindQuestion,
    use: (list: OpenList) => Promise<T>,
  ): Promise<T> {
    const { endsAt } = deadline;
    const left = whenAllLeave([onLeave]);
    const attempt = async () => {
      const question = await findQuestion(await findVersion?.(endsAt), deadline);
      return this.query.open(question, left, use, deadline);
    };
    return this.opening.persistUntil(endsAt, attempt, isTooLate);
  }

  /** Undefined where it is too long to be kept. */
  private async readShort(
    reading: Reading,
    findQuestion: FindQuestion,
  ): Promise<ShortList | undefined> {
    const { sharedAs, findVersion, onLeave, deadline: own } = reading;
    if (sharedAs === undefined) return this.open(reading, findQuestion, keep);
    if (this.long.has(sharedAs)) return undefined;
    const ask = async (allLeft: AbortSignal, deadline: Deadline) => {
      const version = await findVersion?.(deadline.endsAt);
      const kept = this.kept.get(sharedAs);
      if (kept && kept.version?.state === version?.state) return kept;
      const question = await findQuestion(version, deadline);
      const list = await this.query.open(question, allLeft, keep, deadline);
      if (list && version?.state) this.kept.set(sharedAs, list);
      return list;
    };
    const short = await this.shared.read(sharedAs, { onLeave, ask }, own.endsAt);
    if (!short) this.long.set(sharedAs, true);
    return short;
  }
}

/** A list that can be shown any number of times; undefined where it is too long. */
async function keep({ rows, ...about }: OpenList): Promise<ShortList | undefined> {
  const whole = Buffer.isBuffer(rows) ? rows : await readWhole(rows);
  return whole && { ...about, rows: whole, keepOpen: undefined };
}
