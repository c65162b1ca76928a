import { createHash, randomUUID } from 'node:crypto';
import { UnprocessableEntityException } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Journaled } from './journaled-table.js';
import { tallied } from './statements.js';
import type { WriteTerms } from './write-terms.js';

/** Where SQL runs: in a transaction, or alone. */
export type Database = Pick<EntityManager, 'query'>;

/** How many records a request created, changed, deleted and left as they were. */
export interface Tally {
  inserted: number;
  updated: number;
  deleted: number;
  skipped: number;
}

/** What the journal keeps of a request that was done. */
interface DoneRequest {
  first_seq: string | null;
  last_seq: string | null;
  skipped: number;
  fingerprint: string;
}

/** One asking for a write: what makes it the same one when it is asked again. */
export class Request {
  readonly id: string;
  private readonly fingerprint: string;

  /** `intent` is what is asked for: two requests under one id have to be the same in it. */
  constructor(
    readonly terms: WriteTerms,
    intent: object,
  ) {
    this.id = terms.requestId ?? randomUUID();
    this.fingerprint = createHash('sha256').update(JSON.stringify(intent)).digest('base64url');
  }

  /** The parameters $1 to $3 of every statement that remembers. */
  get values(): unknown[] {
    return [this.id, this.terms.by ?? null, this.fingerprint];
  }

  /** The records as this request left them, if it was done before. */
  async recall<T extends Journaled>(database: Database): Promise<T[] | undefined> {
    const done = await this.findDone(database);
    if (!done) return undefined;
    const entries: { id: number; version: number; record: object }[] = await database.query(
      'SELECT record_id AS id, version, record FROM journal WHERE seq BETWEEN $1 AND $2 ORDER BY seq',
      [done.first_seq, done.last_seq],
    );
    return entries.map(({ record, ...known }) => ({ ...record, ...known }) as unknown as T);
  }

  /** The same in figures. */
  async recallTally(database: Database): Promise<Tally | undefined> {
    const done = await this.findDone(database);
    if (!done) return undefined;
    const [counted] = await database.query(
      `SELECT ${tallied} FROM journal WHERE seq BETWEEN $1 AND $2`,
      [done.first_seq, done.last_seq],
    );
    return { ...counted, skipped: done.skipped };
  }

  private async findDone(database: Database): Promise<DoneRequest | undefined> {
    const [done] = (await database.query(
      'SELECT first_seq, last_seq, skipped, fingerprint FROM journal_request WHERE request_id = $1',
      [this.id],
    )) as DoneRequest[];
    if (!done || done.fingerprint === this.fingerprint) return done;
    throw new UnprocessableEntityException(
      'This Idempotency-Key was used for another request: make up a new key for each.',
    );
  }
}
