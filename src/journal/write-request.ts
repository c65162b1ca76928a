import { hash, randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { ProblemError } from '../problems/problems.js';
import { CHANGE_COUNTS_SQL, type ChangeCounts } from './change-counts.js';
import type { Operation } from './journal.entity.js';
import type { Journaled } from './journaled-table.js';
import type { WriteOptions } from './write-options.js';

/** Executes SQL, in a transaction or without one. */
export type SqlExecutor = Pick<EntityManager, 'query'>;

interface StoredRequest {
  fingerprint: string | null;
}

interface StoredBulkResult extends StoredRequest {
  first_seq: string | null;
  last_seq: string | null;
  skipped: number;
}

/** The record as the request left it. */
interface StoredResult extends StoredRequest {
  position: string;
  id: number;
  version: number;
  record: object;
}

/** A request to write. Its id and its fingerprint identify it when it is repeated. */
export class WriteRequest {
  readonly id: string;
  private readonly fingerprint: string | null;
  private isSeparate = false;

  /** `intent` is what is requested: a repeated request must have the same one. */
  constructor(
    readonly options: WriteOptions,
    intent: object,
  ) {
    this.id = options.requestId ?? randomUUID();
    this.fingerprint = options.hasIdempotencyKey
      ? hash('sha256', JSON.stringify(intent), 'base64url')
      : null;
  }

  /** The same for requests that may be stored as one, because none of them is looked up by its id. */
  get groupKey(): unknown {
    const { hasIdempotencyKey, returnsRepresentation, by } = this.options;
    return hasIdempotencyKey || returnsRepresentation || this.isSeparate ? this : by;
  }

  /** From now on the request is stored by itself, and found by its own id only. */
  storeSeparately(): void {
    this.isSeparate = true;
  }

  /** The columns of `journal_request` that the request determines. */
  get stored() {
    return { request_id: this.id, by: this.options.by ?? null, fingerprint: this.fingerprint };
  }

  /** The parameters $1 to $3 of a journaled write. */
  get values(): unknown[] {
    return Object.values(this.stored);
  }

  /** Where the journal has its result, if it is stored by itself. */
  get position(): JournalPosition {
    return { request: this, requestId: this.id, offset: 0 };
  }

  /** The record as the request left it; undefined if the request was not executed. */
  async findStoredResult<T extends Journaled>(executor: SqlExecutor): Promise<T | undefined> {
    const result = (await findStoredResults<T>(executor, [this.position])).get(this);
    if (result instanceof Error) throw result;
    return result;
  }

  /** The counts of a bulk write; undefined if it was not executed. */
  async findStoredCounts(executor: SqlExecutor): Promise<ChangeCounts | undefined> {
    const [stored] = (await executor.query(
      'SELECT first_seq, last_seq, skipped, fingerprint FROM journal_request WHERE request_id = $1',
      [this.id],
    )) as StoredBulkResult[];
    if (!stored) return undefined;
    this.assertSameFingerprint(stored);
    const { first_seq, last_seq, skipped } = stored;
    const [counts] = await executor.query(
      `SELECT ${CHANGE_COUNTS_SQL} FROM journal WHERE seq BETWEEN $1 AND $2`,
      [first_seq, last_seq],
    );
    const range = first_seq === null ? null : [Number(first_seq), Number(last_seq)];
    return { ...counts, skipped, range };
  }

  /** @throws {ProblemError} `idempotency_key_reused` if another request was stored with this id. */
  assertSameFingerprint({ fingerprint }: StoredRequest): void {
    if (fingerprint === this.fingerprint) return;
    throw new ProblemError(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request. Generate a new key for each request.',
    );
  }
}

/** A write of one record: a creation, or a change of the record with the `id`. */
export interface Write {
  request: WriteRequest;
  operation: Extract<Operation, 'create' | 'update' | 'delete'>;
  id?: number;
  changes?: object;
}

/** A batch of writes as parameters of a statement. */
export interface BatchParameters<T> {
  /** The writes in the order of `readRows`. */
  ordered: Write[];
  values: unknown[];
  /**
   * Returns the record of each write. A created record has `id` and `version` only, which the caller
   * cannot know. Undefined if the write changed nothing.
   */
  readRows: (rows: unknown[]) => (T | undefined)[];
}

/** A change in the journal: that with the `offset`, from 0, of the stored request `requestId`. */
export interface JournalPosition {
  request: WriteRequest;
  requestId: string;
  offset: number;
}

/** The results of those requests that were executed: a record, or an error for a reused key. */
export async function findStoredResults<T extends Journaled>(
  executor: SqlExecutor,
  positions: JournalPosition[],
): Promise<Map<WriteRequest, T | Error>> {
  const results = (await executor.query(
    `SELECT position, fingerprint, record_id AS id, version, record
     FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS requested (request_id, row_offset, position)
     JOIN journal_request USING (request_id) LEFT JOIN journal ON seq = first_seq + row_offset
     WHERE row_offset = 0 OR first_seq + row_offset <= last_seq`,
    [positions.map(({ requestId }) => requestId), positions.map(({ offset }) => offset)],
  )) as StoredResult[];
  return new Map(
    results.map((result) => {
      const { request } = positions[Number(result.position) - 1]!;
      return [request, toResult(request, result) as T | Error];
    }),
  );
}

function toResult(request: WriteRequest, stored: StoredResult): object {
  try {
    request.assertSameFingerprint(stored);
    const { id, version, record } = stored;
    return { id, ...record, version };
  } catch (error) {
    return error as Error;
  }
}
