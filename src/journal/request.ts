import { hash, randomUUID } from 'node:crypto';
import { UnprocessableEntityException } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Operation } from './journal.entity.js';
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
  fingerprint: string | null;
}

/** One that changed many records, or none. */
interface DoneMany extends DoneRequest {
  first_seq: string | null;
  last_seq: string | null;
  skipped: number;
}

/** One that changed one record, and the record as it left it. */
interface DoneOne extends DoneRequest {
  place: string;
  id: number;
  version: number;
  record: object;
}

/** One asking for a write: what makes it the same one when it is asked again. */
export class Request {
  readonly id: string;
  private readonly fingerprint: string | null;
  private isAlone = false;

  /** `intent` is what is asked for: two requests under one id have to be the same in it. */
  constructor(
    readonly terms: WriteTerms,
    intent: object,
  ) {
    this.id = terms.requestId ?? randomUUID();
    this.fingerprint = terms.isKeyed ? hash('sha256', JSON.stringify(intent), 'base64url') : null;
  }

  /** The same for all that may be remembered as one: nobody will ask for any of them by its id. */
  get sharedAs(): unknown {
    const { isKeyed, isShown, by } = this.terms;
    return isKeyed || isShown || this.isAlone ? this : by;
  }

  /** From now on it is remembered by itself: where it was stored so, it is found by its own id only. */
  standAlone(): void {
    this.isAlone = true;
  }

  /** What the journal remembers of it. */
  get remembered() {
    return { request_id: this.id, by: this.terms.by ?? null, fingerprint: this.fingerprint };
  }

  /** The same as the parameters $1 to $3 of a statement. */
  get values(): unknown[] {
    return Object.values(this.remembered);
  }

  /** Where it is found again, if it is remembered alone. */
  get location(): Location {
    return { request: this, under: this.id, nth: 0 };
  }

  /** The one record that it changed, as it left it, if it was done before. */
  async recall<T extends Journaled>(database: Database): Promise<T | undefined> {
    const answer = (await recallAll<T>(database, [this.location])).get(this);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /** What it changed in figures, if it was done before. */
  async recallTally(database: Database): Promise<Tally | undefined> {
    const [done] = (await database.query(
      'SELECT first_seq, last_seq, skipped, fingerprint FROM journal_request WHERE request_id = $1',
      [this.id],
    )) as DoneMany[];
    if (!done) return undefined;
    this.mustBe(done);
    const [counted] = await database.query(
      `SELECT ${tallied} FROM journal WHERE seq BETWEEN $1 AND $2`,
      [done.first_seq, done.last_seq],
    );
    return { ...counted, skipped: done.skipped };
  }

  /** @throws {UnprocessableEntityException} where another request was done under this one's id. */
  mustBe({ fingerprint }: DoneRequest): void {
    if (fingerprint === this.fingerprint) return;
    throw new UnprocessableEntityException(
      'This Idempotency-Key was used for another request: make up a new key for each.',
    );
  }
}

/** One write of one record: of a new one, or of that with the `id`. */
export interface Write {
  request: Request;
  operation: Extract<Operation, 'create' | 'update' | 'delete'>;
  id?: number;
  changes?: object;
}

/** Writes in the order in which a statement takes them, its parameters, and what its answer means. */
export interface DescribedGroup<T> {
  ordered: Write[];
  values: unknown[];
  /**
   * The record that each of them wrote, of a new one what its writer cannot know: `id` and `version`.
   * Undefined where nothing was changed.
   */
  read: (rows: unknown[]) => (T | undefined)[];
}

/** Where the journal has what a request changed: the `nth` change, from 0, of the one `under` that id. */
export interface Location {
  request: Request;
  under: string;
  nth: number;
}

/** What those of some requests that were done before are answered: each its record, or its own error. */
export async function recallAll<T extends Journaled>(
  database: Database,
  locations: Location[],
): Promise<Map<Request, T | Error>> {
  const done = (await database.query(
    `SELECT place, fingerprint, record_id AS id, version, record
     FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS asked (request_id, nth, place)
     JOIN journal_request USING (request_id) LEFT JOIN journal ON seq = first_seq + nth
     WHERE nth = 0 OR first_seq + nth <= last_seq`,
    [locations.map(({ under }) => under), locations.map(({ nth }) => nth)],
  )) as DoneOne[];
  return new Map(
    done.map((one) => {
      const { request } = locations[Number(one.place) - 1]!;
      return [request, answerAgain(request, one) as T | Error];
    }),
  );
}

function answerAgain(request: Request, done: DoneOne): object {
  try {
    request.mustBe(done);
    const { id, version, record } = done;
    return { id, ...record, version };
  } catch (error) {
    return error as Error;
  }
}
