import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { currentPatience, DeadlinePassed, patienceOf, type Patience } from './deadline.js';
import { ConnectionRefused, isAboutEncryption, isDatabaseAway } from './failures.js';
import { RecyclingClient } from './recycling-client.js';
import { Slots } from './slots.js';

const CONNECT_LIMIT_MS = 2000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [10, 250];
const WAITING_A_CONNECTION = 100;
/** Connections that were opened together shall not all grow old together. */
const JITTER = 0.1;

/** What the pool is told besides pg's own settings. */
export interface RecyclingOptions extends pg.PoolConfig {
  max: number;
  /** No connection older than this is handed out. */
  recycleSeconds: number;
  /** How long who has no deadline of its own waits for a connection. */
  deadlineMs: number;
  /** What to try where the server does not want what `ssl` says. */
  sslInstead?: pg.PoolConfig['ssl'];
}

/** A connection, and how it is given back to pg's own pool. */
interface Lendable {
  client: pg.PoolClient;
  takeBack: (error?: Error | boolean) => void;
}

type Callback = (
  error?: Error,
  client?: pg.PoolClient,
  release?: (error?: unknown) => void,
) => void;

/** What has happened to connections so far. */
export interface PoolCounts {
  recycled: number;
  pingsFailed: number;
  connectsRetried: number;
}

/**
 * A pool that never hands out a dead connection. At every checkout it recycles what is too old, asks
 * what has rested whether it still lives, and goes on trying to connect until the deadline; and it
 * never takes back a connection that is given up, busy or within a transaction.
 *
 * Age is checked at checkout, not by a timer, because a process that was frozen misses its timers.
 */
export class RecyclingPool extends pg.Pool {
  readonly counts: PoolCounts = { recycled: 0, pingsFailed: 0, connectsRetried: 0 };
  /** Whether the last attempt to get a connection succeeded. */
  isReachable = false;
  private readonly slots: Slots<Lendable>;
  /** What has not been used since then is not asked any more: another that rested as long was dead. */
  private suspectBefore = 0;
  private readonly recycleMs: number;
  private readonly deadlineMs: number;
  private readonly sslInstead: pg.PoolConfig['ssl'];

  constructor({ recycleSeconds, deadlineMs, sslInstead, ...options }: RecyclingOptions) {
    super({
      ...options,
      Client: RecyclingClient,
      min: 0,
      connectionTimeoutMillis: Math.min(CONNECT_LIMIT_MS, deadlineMs),
      idleTimeoutMillis: (recycleSeconds * 1000) / 2,
      onConnect: async (client) => prepareSession(client, deadlineMs),
    });
    this.slots = new Slots<Lendable>(this.options.max, this.options.max * WAITING_A_CONNECTION);
    this.recycleMs = recycleSeconds * 1000;
    this.deadlineMs = deadlineMs;
    this.sslInstead = sslInstead;
  }

  /** How many wait for a connection. */
  get queueLength(): number {
    return this.slots.waitingCount;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.PoolClient> | void {
    if (!callback) return this.checkOut();
    void this.tell(callback);
  }

  private async tell(callback: Callback): Promise<void> {
    let client: pg.PoolClient;
    try {
      client = await this.checkOut();
    } catch (error) {
      return callback(error as Error, undefined, () => undefined);
    }
    return callback(undefined, client, (error) => client.release(error as Error));
  }

  /** Lends a connection, to be released; `patience` is that of the work that it is for. */
  async checkOut(
    patience: Patience = currentPatience() ?? patienceOf(this.deadlineMs),
  ): Promise<pg.PoolClient> {
    const left = await this.slots.take(patience.endsAt - Date.now());
    return this.lend(left ?? (await this.open(patience.endsAt)), patience.silenceMs);
  }

  private async open(giveUpAt: number): Promise<Lendable> {
    try {
      const client = await this.findFit(giveUpAt);
      return { client, takeBack: client.release.bind(client) };
    } catch (error) {
      this.slots.giveBack();
      throw error;
    }
  }

  private async findFit(giveUpAt: number): Promise<pg.PoolClient> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const { ssl } = this.options;
      try {
        const client = await this.takeFit();
        this.isReachable = true;
        if (client) return client;
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.isReachable = false;
        if (isAboutEncryption(error) && this.changeEncryption(ssl)) continue;
        if (!isDatabaseAway(error)) throw new ConnectionRefused(error);
        const jitteredMs = pauseMs * (0.5 + Math.random() / 2);
        if (Date.now() + jitteredMs > giveUpAt) throw new DeadlinePassed(error);
        this.counts.connectsRetried += 1;
        await wait(jitteredMs);
      }
    }
  }

  /** For all connections from now on: the server that answers one so answers all so. */
  private changeEncryption(refused: pg.PoolConfig['ssl']): boolean {
    if (this.sslInstead === undefined || refused === this.sslInstead) return false;
    this.options.ssl = this.sslInstead;
    return true;
  }

  /** Undefined where the one that came had to be given up: the next may be better. */
  private async takeFit(): Promise<pg.PoolClient | undefined> {
    const client = await super.connect();
    const fault = await this.findFault(client as unknown as RecyclingClient);
    if (!fault) return client;
    this.counts[fault] += 1;
    client.release(true);
    return undefined;
  }

  /** One that is found dead spares the others that rested as long their ping, and who waits the time. */
  private async findFault(client: RecyclingClient): Promise<keyof PoolCounts | undefined> {
    if (this.isOld(client)) return 'recycled';
    if (client.hasRestedSince(this.suspectBefore)) return 'pingsFailed';
    const askedAt = Date.now();
    if (await client.isAlive()) return undefined;
    this.suspectBefore = Math.max(this.suspectBefore, askedAt);
    return 'pingsFailed';
  }

  private lend(lendable: Lendable, silenceMs: number): pg.PoolClient {
    const { client, takeBack } = lendable;
    const recycling = client as unknown as RecyclingClient;
    recycling.watchSilence(silenceMs);
    let isBack = false;
    client.release = (error?: Error | boolean) => {
      if (isBack)
        throw new Error('This connection was given back before: somebody else may have it.');
      isBack = true;
      recycling.rest();
      const isFit = !error && !recycling.isDirty && !this.isOld(recycling);
      // who waits already need not ask whether it lives: it has just answered
      if (isFit && this.slots.handOver(lendable)) return;
      takeBack(error ?? recycling.isDirty);
      this.slots.giveBack();
    };
    return client;
  }

  private isOld(client: RecyclingClient): boolean {
    return client.isOlderThan(this.recycleMs * (1 - JITTER * Math.random()));
  }
}

/**
 * A server that works on what nobody waits for any more notices it within a second, where it can:
 * from PostgreSQL 14 on, and not on Windows.
 * https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
 */
const NOTICE_THAT_WE_LEFT = `
  DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1000', false);
  EXCEPTION WHEN OTHERS THEN NULL; END $$`;

/**
 * A client that vanished within a transaction must not hold its locks for long, and one that waits
 * for a lock must stop waiting before its connection is taken for dead. These are statements and not
 * start-up parameters, which poolers such as PgBouncer refuse.
 */
async function prepareSession(client: pg.ClientBase, deadlineMs: number): Promise<void> {
  (client as RecyclingClient).watchSilence(CONNECT_LIMIT_MS);
  await client.query(
    `SET idle_in_transaction_session_timeout = ${Math.ceil(deadlineMs / 2)};
     SET lock_timeout = ${Math.ceil(deadlineMs / 4)};
     ${NOTICE_THAT_WE_LEFT}`,
  );
}

/** The pool of a DataSource that is open; TypeORM shows it to its own query runners only. */
export function poolOf({ driver }: DataSource): RecyclingPool {
  return (driver as unknown as { master: RecyclingPool }).master;
}

/** pg, for TypeORM's option `driver`, with this pool in place of its own. */
export const recyclingPg: typeof pg = Object.assign(Object.create(pg) as typeof pg, {
  Pool: RecyclingPool,
});
