import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import type { Patience } from '../database/deadline.js';
import { DatabaseOpening } from '../database/opening.js';
import { SharedReads, whenAllLeave, type OnLeave } from '../database/shared-reads.js';
import { readWhole } from '../http/list-reply.js';
import type { Listing } from '../query/listing.js';
import type { Source } from '../query/statements.js';
import type { Format } from './formats.js';
import { ListQuery, type OpenList, type Question, type Version } from './list-query.js';

/** How a list is to be read. */
export interface Reading {
  format: Format;
  isCounted: boolean;
  /** A query that nobody waits for any more is ended. */
  onLeave: OnLeave;
  /** Whether the answer has begun, so that the list cannot be read again. */
  isTooLate: () => boolean;
  /** The same for all who may be given the same bytes; undefined where nobody may. */
  sharedAs?: string;
  findVersion?: () => Promise<Version>;
}

export type Use = (list: OpenList) => Promise<void>;

type FindQuestion = (version: Version | undefined) => Promise<Question>;

interface ShortList extends OpenList {
  rows: Buffer;
}

const KEPT_LISTS = 1000;
const KEPT_LISTS_BYTES = 16_777_216;

/** A list that was long a while ago is not tried as a short one. */
const LONG_FOR_MS = 60_000;
const LONG_LISTS_KEPT = 1000;

/**
 * Reads lists: a short one once for all who ask for it at once, and again only where something was
 * committed since; a long one for each as it is taken.
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

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly opening: DatabaseOpening,
  ) {
    this.query = new ListQuery(dataSource);
    this.shared = new SharedReads(opening);
  }

  /** Opens a list of what `findSource` finds for as long as `use` takes. */
  async read(
    listing: Listing,
    findSource: () => Promise<Source>,
    reading: Reading,
    use: Use,
  ): Promise<void> {
    const { format, isCounted, findVersion, onLeave, isTooLate } = reading;
    const findQuestion: FindQuestion = async (version) => {
      return { listing, source: await findSource(), format, isCounted, version };
    };
    const short = await this.readShort(reading, findQuestion);
    if (short) return use(short);
    await this.opening.persist(async () => {
      const question = await findQuestion(await findVersion?.());
      return this.query.open(question, whenAllLeave([onLeave]), use);
    }, isTooLate);
  }

  /** Undefined where it is too long to be kept. */
  private async readShort(
    { sharedAs, findVersion, onLeave }: Reading,
    findQuestion: FindQuestion,
  ): Promise<ShortList | undefined> {
    if (sharedAs === undefined || this.long.has(sharedAs)) return undefined;
    const ask = async (allLeft: AbortSignal, patience: Patience) => {
      const version = await findVersion?.();
      const kept = this.kept.get(sharedAs);
      if (kept && kept.version?.state === version?.state) return kept;
      const list = await this.query.open(await findQuestion(version), allLeft, keep, patience);
      if (list && version?.state) this.kept.set(sharedAs, list);
      return list;
    };
    const short = await this.shared.read(sharedAs, { onLeave, ask });
    if (!short) this.long.set(sharedAs, true);
    return short;
  }
}

/** A list that can be shown any number of times; undefined where it is too long. */
async function keep({ rows, ...about }: OpenList): Promise<ShortList | undefined> {
  const whole = Buffer.isBuffer(rows) ? rows : await readWhole(rows);
  return whole && { ...about, rows: whole };
}
