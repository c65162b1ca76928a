import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import pg from 'pg';
import type { AdaptiveTimeout } from './adaptive-timeout.js';
import type { ServerHistory } from './server-state.js';

const IDLE_BEFORE_PING_MS = 500;
/** PostgreSQL reports that it is ready right after an error. A connection that does not is discarded. */
const READY_TIMEOUT_MS = 500;
/** How long a connection may take to close: a silent peer never confirms it. */
const CLOSE_TIMEOUT_MS = 500;

/** A connection owed a response and did not send it in time. It is closed. */
export class ResponseTimeoutError extends Error {
  override readonly name = 'ResponseTimeoutError';

  constructor(waitedMs: number) {
    super(`The connection was closed: no response from the database for ${waitedMs} ms.`);
  }
}

/** COMMIT was executed as ROLLBACK, because an earlier statement had failed. */
export class NotCommittedError extends Error {
  override readonly name = 'NotCommittedError';

  constructor() {
    super('Nothing was committed: an earlier statement of this transaction had failed.');
  }
}

/** What this class uses of pg beyond its documentation. A test checks it in the installed version. */
interface PgInternals {
  connection: { stream: Socket };
  readyForQuery: boolean;
  pipeline: boolean;
  processID: number | null;
  /** A stream of pg-copy-streams during COPY. */
  _activeQuery: Partial<Writable> | null;
  _queryQueue: object[];
  _sentQueryQueue: object[];
}

/** A connection that knows its age, and whether it can be used again. */
export class RecyclingClient extends pg.Client {
  /** Whether a pooler is in between: the server names another process than it does. */
  isPooled = false;
  /** Of the server, if it tells. */
  history?: ServerHistory;
  private connectedAt = Date.now();
  private lastUsedAt = Date.now();
  private isDiscarded = false;

  constructor(options?: string | pg.ClientConfig) {
    super(options);
    // without a listener, an error of an idle connection would end the process
    this.on('error', () => (this.isDiscarded = true));
    this.once('end', () => (this.isDiscarded = true));
    this.once('connect', () => (this.connectedAt = Date.now()));
  }

  isOlderThan(ageMs: number): boolean {
    return Date.now() - this.connectedAt >= ageMs;
  }

  /** Whether its last response is older than `time`. */
  isIdleSince(time: number): boolean {
    return this.lastUsedAt < time;
  }

  /**
   * Whether the server responds to a query within `timeout`. A connection that responded in the last half
   * second, and after `suspectBefore`, is not queried.
   */
  async isAlive(suspectBefore: number, timeout: AdaptiveTimeout): Promise<boolean> {
    if (this.isDiscarded) return false;
    const isRecent = Date.now() - this.lastUsedAt < IDLE_BEFORE_PING_MS;
    if (isRecent && !this.isIdleSince(suspectBefore)) return true;
    try {
      await this.respondWithin(timeout, async () => this.query('SELECT 1'));
      this.markUsed();
      return true;
    } catch {
      // whatever the reason, another connection is used
      return false;
    }
  }

  /**
   * Runs `work` on this connection, and closes the connection if it takes longer than `timeout`.
   * @throws {ResponseTimeoutError} in that case.
   */
  async respondWithin<T>(timeout: AdaptiveTimeout, work: () => Promise<T>): Promise<T> {
    const [startedAt, timeoutMs] = [Date.now(), timeout.ms];
    let isFinished = false;
    const expire = () => {
      if (isFinished) return;
      timeout.noteTimeout();
      this.discard(new ResponseTimeoutError(timeoutMs));
    };
    // what arrived while this process was busy or suspended is read first
    const timer = setTimeout(() => setImmediate(expire), timeoutMs);
    try {
      const result = await work();
      timeout.note(Date.now() - startedAt);
      return result;
    } finally {
      isFinished = true;
      clearTimeout(timer);
    }
  }

  /** Whether either side closed it. */
  get isClosed(): boolean {
    return this.isDiscarded;
  }

  /** Whether it cannot be used again: it is closed, busy, or in a transaction. */
  get isDirty(): boolean {
    return this.isDiscarded || !this.isReady || this.getTransactionStatus() !== 'I';
  }

  /** Whether it owes no response. */
  get isReady(): boolean {
    return this.internals.readyForQuery;
  }

  /**
   * Waits until the connection is ready after an error: pg reports the error before PostgreSQL reports that
   * it is ready. Resolves after half a second at most, and immediately if a query is running.
   */
  async settle(): Promise<void> {
    const { _activeQuery, _queryQueue, _sentQueryQueue } = this.internals;
    const isBusy = _activeQuery || _queryQueue.length || _sentQueryQueue.length;
    if (this.isReady || isBusy) return;
    const settled = new AbortController();
    const { signal } = settled;
    const timer = setTimeout(() => settled.abort(), READY_TIMEOUT_MS);
    const responses = ['drain', 'end'].map(async (event) => once(this, event, { signal }));
    await Promise.race(responses).catch(() => undefined);
    clearTimeout(timer);
    settled.abort();
    await Promise.allSettled(responses);
  }

  /** Whether a query is sent before the response to the previous one. Set it while the connection is ready. */
  set isPipelining(isPipelining: boolean) {
    this.internals.pipeline = isPipelining;
  }

  /** The number of bytes in both directions. It grows while the connection works. */
  get transferredBytes(): number {
    const { bytesRead, bytesWritten } = this.internals.connection.stream;
    return bytesRead + bytesWritten;
  }

  /** Whether a response arrived that was not read yet. */
  get hasUnreadResponse(): boolean {
    return this.internals.connection.stream.readableLength > 0;
  }

  /** Whether a COPY FROM STDIN is running and this side has more data to send. */
  get isSending(): boolean {
    const { _activeQuery: copy } = this.internals;
    return copy?.writableEnded === false;
  }

  /** The id of the server process, as PostgreSQL or a pooler reported it. */
  get backendPid(): number | undefined {
    return this.internals.processID ?? undefined;
  }

  /** Closes the connection immediately. Pending queries are rejected with `reason`. */
  discard(reason: Error): void {
    this.isDiscarded = true;
    this.internals.connection.stream.destroy(reason);
  }

  markUsed(): void {
    this.lastUsedAt = Date.now();
  }

  override end(): Promise<void>;
  override end(callback: (error?: Error) => void): void;
  override end(callback?: (error?: Error) => void): Promise<void> | void {
    const { stream } = this.internals.connection;
    const timer = setTimeout(() => stream.destroy(), this.isDiscarded ? 0 : CLOSE_TIMEOUT_MS);
    stream.once('close', () => clearTimeout(timer));
    return callback ? super.end(callback) : super.end();
  }

  private get internals(): PgInternals {
    return this as unknown as PgInternals;
  }
}

const { query } = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };

/** pg overloads this method; the overload that TypeORM commits with returns a promise. */
RecyclingClient.prototype.query = function rejectFailedCommit(
  this: RecyclingClient,
  ...args: unknown[]
) {
  const response = query.apply(this, args);
  if (args[0] !== 'COMMIT') return response as never;
  return (response as Promise<pg.QueryResult>).then((result) => {
    if (result.command === 'ROLLBACK') throw new NotCommittedError();
    return result;
  }) as never;
};
