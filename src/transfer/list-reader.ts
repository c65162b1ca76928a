import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Patience } from '../database/deadline.js';
import { DatabaseOpening } from '../database/opening.js';
import { SharedReads, whenAllLeave, type OnLeave } from '../database/shared-reads.js';
import { readWhole } from '../http/list-reply.js';
import type { Listing } from '../query/listing.js';
import type { Source } from '../query/statements.js';
import type { Format } from './formats.js';
import { ListQuery, type OpenList } from './list-query.js';

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
  /** What tells the list from that after the next change. */
  findVersion?: () => Promise<number>;
}

export type Use = (list: OpenList) => Promise<void>;

type Ask = (signal: AbortSignal, patience: Patience) => Promise<OpenList | undefined>;

/** A list that was long a while ago is not tried as a short one. */
const LONG_FOR_MS = 60_000;
const LONG_LISTS_KEPT = 1000;

/** Reads lists: a short one once for all who ask for it at once, a long one for each as it is taken. */
@Injectable()
export class ListReader {
  private readonly query: ListQuery;
  private readonly shared: SharedReads<OpenList | undefined>;
  private readonly longUntil = new Map<string, number>();

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
    const { format, isCounted, onLeave, isTooLate } = reading;
    const findQuestion = async () => {
      const version = await reading.findVersion?.();
      return { listing, source: await findSource(), format, isCounted, version };
    };
    const short = await this.readShort(reading, async (allLeft, patience) =>
      this.query.open(await findQuestion(), allLeft, keep, patience),
    );
    if (short) return use(short);
    await this.opening.persist(
      async () => this.query.open(await findQuestion(), whenAllLeave([onLeave]), use),
      isTooLate,
    );
  }

  /** Undefined where it is too long to be kept. */
  private async readShort({ sharedAs, onLeave }: Reading, ask: Ask): Promise<OpenList | undefined> {
    if (sharedAs === undefined) return undefined;
    if (Date.now() < (this.longUntil.get(sharedAs) ?? 0)) return undefined;
    const short = await this.shared.read(sharedAs, { onLeave, ask });
    if (short) return short;
    if (this.longUntil.size >= LONG_LISTS_KEPT) this.longUntil.clear();
    this.longUntil.set(sharedAs, Date.now() + LONG_FOR_MS);
    return undefined;
  }
}

/** A list that can be shown any number of times; undefined where it is too long. */
async function keep({ rows, ...about }: OpenList): Promise<OpenList | undefined> {
  const whole = Buffer.isBuffer(rows) ? rows : await readWhole(rows);
  return whole && { ...about, rows: whole };
}
