import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import pg from 'pg';
import type { AdaptiveTimeout } from './adaptive-timeout.js';

const IDLE_BEFORE_PING_MS = 500;
/** PostgreSQL reports that it is ready right after an error: a connection that does not is discarded. */
const READY_TIMEOUT_MS = 500;
/** How long a connection may take to close: a peer that is silent never confirms it. */
const CLOSE_TIMEOUT_MS = 500;

/** A connection owes a response and sent none: it is dead, or as good as dead. */
export class ResponseTimeout extends Error {
  constructor(waitedMs: number) {
    super(`The connection was closed: no response from the database for ${waitedMs} ms.`);
  }
}

/** COMMIT was answered by ROLLBACK: a statement had failed, and the caller did not notice. */
export class NotCommitted extends Error {
  constructor() {
    super('Nothing was committed: an earlier statement of this transaction had failed.');
  }
}

/** What this class uses of pg beyond its documentation; a test holds it on the installed version. */
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

/** A connection that knows its age, and whether it may be used again. */
export class RecyclingClient extends pg.Client {
  private connectedAt = Date.now();
  private lastUsedAt = Date.now();
  private isDiscarded = false;

  constructor(options?: string | pg.ClientConfig) {
    super(options);
    // without a listener, a connection that fails while idle would end the process
    this.on('error', () => (this.isDiscarded = true));
    this.once('end', () => (this.isDiscarded = true));
    this.once('connect', () => (this.connectedAt = Date.now()));
  }

  isOlderThan(ageMs: number): boolean {
    return Date.now() - this.connectedAt >= ageMs;
  }

  /** Whether the last response on it is older than `time`. */
  isIdleSince(time: number): boolean {
    return this.lastUsedAt < time;
  }

  /**
   * Whether the server answers within `timeout`. One that answered a moment ago, and after
   * `suspectBefore`, is not asked.
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
      // whatever the reason, another connection is taken
      return false;
    }
  }

  /**
   * Runs `work` on this connection, and discards the connection if that takes longer.
   * @throws {ResponseTimeout} then.
   */
  async respondWithin<T>(timeout: AdaptiveTimeout, work: () => Promise<T>): Promise<T> {
    const [startedAt, timeoutMs] = [Date.now(), timeout.ms];
    let isOver = false;
    const expire = () => {
      if (isOver) return;
      timeout.noteTimeout();
      this.discard(new ResponseTimeout(timeoutMs));
    };
    // what arrived while this process was busy or frozen is read first
    const timer = setTimeout(() => setImmediate(expire), timeoutMs);
    try {
      const result = await work();
      timeout.note(Date.now() - startedAt);
      return result;
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  /** Whether it was closed, by either side. */
  get isClosed(): boolean {
    return this.isDiscarded;
  }

  /** Whether it could harm its next user: closed, busy, or in a transaction. */
  get isDirty(): boolean {
    return this.isDiscarded || !this.isReady || this.getTransactionStatus() !== 'I';
  }

  /** Whether it owes no response. */
  get isReady(): boolean {
    return this.internals.readyForQuery;
  }

  /**
   * Resolves once the connection is ready after an error: pg reports the error before PostgreSQL reports
   * that it is ready. At most half a second; then, or if a query is running, it stays as it is.
   */
  async settle(): Promise<void> {
    const { _activeQuery, _queryQueue, _sentQueryQueue } = this.internals;
    const isBusy = _activeQuery || _queryQueue.length || _sentQueryQueue.length;
    if (this.isReady || isBusy) return;
    const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
    await Promise.race([once(this, 'drain', { signal }), once(this, 'end', { signal })]).catch(
      () => undefined,
    );
  }

  /** Whether a query is sent before the response to the previous one. To be set while it is ready. */
  set isPipelining(isPipelining: boolean) {
    this.internals.pipeline = isPipelining;
  }

  /** How many bytes went over it in either direction: it grows while the connection works. */
  get transferredBytes(): number {
    const { bytesRead, bytesWritten } = this.internals.connection.stream;
    return bytesRead + bytesWritten;
  }

  /** Whether a response has arrived that nobody has read yet. */
  get hasUnreadResponse(): boolean {
    return this.internals.connection.stream.readableLength > 0;
  }

  /** Whether it is in COPY FROM STDIN, and more data is to come from us. */
  get isSending(): boolean {
    const { _activeQuery: copy } = this.internals;
    return copy?.writableEnded === false;
  }

  /** The number of the server's process, as PostgreSQL or a pooler reported it. */
  get backendPid(): number | undefined {
    return this.internals.processID ?? undefined;
  }

  /** Closes the connection at once; whoever waits for a response gets `reason`. */
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

/** pg has many signatures for it; the one that commits, TypeORM's, returns a promise. */
RecyclingClient.prototype.query = function rejectFailedCommit(
  this: RecyclingClient,
  ...args: unknown[]
) {
  const response = query.apply(this, args);
  if (args[0] !== 'COMMIT') return response as never;
  return (response as Promise<pg.QueryResult>).then((result) => {
    if (result.command === 'ROLLBACK') throw new NotCommitted();
    return result;
  }) as never;
};
