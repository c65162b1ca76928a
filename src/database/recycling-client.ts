import pg from 'pg';

const REST_BEFORE_PING_MS = 500;
const PING_LIMIT_MS = 500;

/** A connection said nothing to what it was asked: it is dead, or as good as dead. */
export class ConnectionSilent extends Error {
  constructor(silenceMs: number) {
    super(`The database said nothing for ${silenceMs} ms: the connection is given up.`);
  }
}

/** COMMIT was answered by ROLLBACK: a statement had failed, and nobody noticed. */
export class NotCommitted extends Error {
  constructor() {
    super('Nothing was committed: an earlier statement of this transaction had failed.');
  }
}

/** What this class touches of pg beyond its documentation; held by a test on the installed version. */
interface PgInternals {
  connection: { stream: import('node:net').Socket };
  readyForQuery: boolean;
  pipeline: boolean;
}

/** A connection that knows how old it is, and whether it may be used again. */
export class RecyclingClient extends pg.Client {
  private bornAt = Date.now();
  private lastUsedAt = Date.now();
  private isGivenUp = false;
  private silenceMs = 0;

  constructor(options?: string | pg.ClientConfig) {
    super(options);
    // without a listener, a connection that dies at rest would end the process
    this.on('error', () => (this.isGivenUp = true));
    this.once('end', () => (this.isGivenUp = true));
    this.once('connect', () => (this.bornAt = Date.now()));
  }

  isOlderThan(ageMs: number): boolean {
    return Date.now() - this.bornAt >= ageMs;
  }

  hasRestedSince(time: number): boolean {
    return this.lastUsedAt < time;
  }

  /** Whether it answers; one that was used a moment ago is believed to. */
  async isAlive(): Promise<boolean> {
    if (this.isGivenUp) return false;
    if (Date.now() - this.lastUsedAt < REST_BEFORE_PING_MS) return true;
    this.watchSilence(PING_LIMIT_MS);
    try {
      await this.query('SELECT 1');
      return true;
    } catch {
      // whatever the reason, another connection is taken
      return false;
    }
  }

  /** Whether it could harm who takes it next: given up, busy, or within a transaction. */
  get isDirty(): boolean {
    return this.isGivenUp || !this.internals.readyForQuery || this.getTransactionStatus() !== 'I';
  }

  /** Whether a query is sent before the answer to the one before is there. To be set at rest. */
  set sendsAhead(isAhead: boolean) {
    this.internals.pipeline = isAhead;
  }

  /** Gives the connection up where it owes an answer and says nothing for so long; 0 for never. */
  watchSilence(silenceMs: number): void {
    if (silenceMs === this.silenceMs) return;
    this.silenceMs = silenceMs;
    const { stream } = this.internals.connection;
    stream.removeAllListeners('timeout');
    stream.setTimeout(silenceMs, () => {
      // what came and is not read yet waits for us: the silence is ours
      if (this.internals.readyForQuery || stream.readableLength) return;
      this.isGivenUp = true;
      stream.destroy(new ConnectionSilent(silenceMs));
    });
  }

  rest(): void {
    this.lastUsedAt = Date.now();
  }

  private get internals(): PgInternals {
    return this as unknown as PgInternals;
  }
}

const { query } = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };

/** pg has many signatures for it; that which commits, TypeORM's, returns a promise. */
RecyclingClient.prototype.query = function commitForSure(
  this: RecyclingClient,
  ...args: unknown[]
) {
  const answer = query.apply(this, args);
  if (args[0] !== 'COMMIT') return answer as never;
  return (answer as Promise<pg.QueryResult>).then((result) => {
    if (result.command === 'ROLLBACK') throw new NotCommitted();
    return result;
  }) as never;
};
