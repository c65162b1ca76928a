import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { BackendStates } from './backend-states.js';
import { bigintAsNumber } from './bigint-as-number.js';
import { ConnectionHealth, type ConnectionFault } from './connection-health.js';
import { ConnectionMonitor } from './connection-monitor.js';
import {
  currentDeadline,
  DeadlineExceeded,
  deadlineIn,
  settleBy,
  type Deadline,
} from './deadline.js';
import { ConnectionRejectedError, isAboutEncryption, isDatabaseAway } from './failures.js';
import { RecyclingClient } from './recycling-client.js';
import { CONNECT_TIMEOUT_MS, SessionSetup } from './session.js';
import { Slots } from './slots.js';

const [MIN_DELAY_MS, MAX_DELAY_MS] = [10, 250];
const WAITING_PER_CONNECTION = 100;
const END_TIMEOUT_MS = 1000;

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
export type PoolCounts = Record<ConnectionFault | 'connectsRetried', number>;

/**
 * A pool that never hands out a dead connection. At every checkout it recycles connections that are too
 * old, validates those that were idle, and retries connecting until the deadline. A connection that is
 * checked out is watched (see `ConnectionMonitor`). One that is closed, busy or in a transaction is never
 * taken back.
 *
 * Age is checked at checkout, not by a timer, because a process that was frozen misses its timers.
 */
export class RecyclingPool extends pg.Pool {
  readonly counts: PoolCounts = { recycled: 0, pingsFailed: 0, connectsRetried: 0 };
  /** Called when the database could not be reached. */
  onUnreachable: () => void = () => undefined;
  private reachable = false;
  private isAborted = false;
  private readonly slots: Slots<Lendable>;
  private readonly monitor: ConnectionMonitor;
  private readonly health: ConnectionHealth;
  private readonly deadlineMs: number;
  private readonly sslInstead: pg.PoolConfig['ssl'];

  constructor({ recycleSeconds, deadlineMs, sslInstead, ...options }: RecyclingOptions) {
    const setup = new SessionSetup(deadlineMs);
    super({
      ...options,
      Client: RecyclingClient,
      min: 0,
      types: bigintAsNumber,
      connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT_MS, deadlineMs),
      idleTimeoutMillis: (recycleSeconds * 1000) / 2,
      onConnect: async (client) => setup.run(client as RecyclingClient),
    });
    this.slots = new Slots<Lendable>(this.options.max, this.options.max * WAITING_PER_CONNECTION);
    this.health = new ConnectionHealth(recycleSeconds * 1000);
    this.monitor = new ConnectionMonitor(new BackendStates(this.options), this.health, () =>
      this.noteUnreachable(),
    );
    this.deadlineMs = deadlineMs;
    this.sslInstead = sslInstead;
  }

  /** Whether the last attempt to get a connection succeeded. */
  get isReachable(): boolean {
    return this.reachable;
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

  /** Checks out a connection, to be released by the caller; `deadline` is that of the caller's work. */
  async checkOut(
    deadline: Deadline = currentDeadline() ?? deadlineIn(this.deadlineMs),
  ): Promise<pg.PoolClient> {
    if (this.isAborted) throw new DeadlineExceeded();
    const left = await this.slots.take(deadline.endsAt - Date.now());
    return this.lend(left ?? (await this.open(deadline.endsAt)), deadline);
  }

  /** Gives up all work at once, for a service that ends: nobody gets a connection any more. */
  abort(): void {
    this.isAborted = true;
    this.slots.rejectAll(new DeadlineExceeded());
    this.monitor.discardAll(new DeadlineExceeded());
  }

  /** Resolves once all connections are closed; those that are still checked out are cut after a second. */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | void {
    const timer = setTimeout(() => this.abort(), END_TIMEOUT_MS);
    const ended = super.end().finally(() => clearTimeout(timer));
    return callback ? void ended.finally(callback) : ended;
  }

  private async open(endsAt: number): Promise<Lendable> {
    const opening = this.findFit(endsAt);
    try {
      const client = await settleBy(endsAt, opening);
      return { client, takeBack: client.release.bind(client) };
    } catch (error) {
      if (error instanceof DeadlineExceeded) this.noteUnreachable();
      // one that comes too late for this caller is there for the next
      void opening
        .then(
          (client) => client.release(),
          () => undefined,
        )
        .finally(() => this.slots.giveBack());
      throw error;
    }
  }

  private async findFit(endsAt: number): Promise<pg.PoolClient> {
    for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      const { ssl } = this.options;
      try {
        const client = await this.takeFit();
        this.reachable = true;
        if (client) return client;
        delayMs = MIN_DELAY_MS;
      } catch (error) {
        this.noteUnreachable();
        if (isAboutEncryption(error) && this.changeEncryption(ssl)) continue;
        if (!isDatabaseAway(error)) throw new ConnectionRejectedError(error);
        const jitteredMs = delayMs * (0.5 + Math.random() / 2);
        if (this.isAborted || Date.now() + jitteredMs > endsAt) throw new DeadlineExceeded(error);
        this.counts.connectsRetried += 1;
        await wait(jitteredMs);
      }
    }
  }

  private noteUnreachable(): void {
    const wasReachable = this.reachable;
    this.reachable = false;
    if (wasReachable) this.onUnreachable();
  }

  /** For all connections from now on: the server that answers one so answers all so. */
  private changeEncryption(refused: pg.PoolConfig['ssl']): boolean {
    if (this.sslInstead === undefined || refused === this.sslInstead) return false;
    this.options.ssl = this.sslInstead;
    return true;
  }

  /** Undefined if the connection that came had to be closed: the next may be better. */
  private async takeFit(): Promise<pg.PoolClient | undefined> {
    const client = await super.connect();
    const fault = await this.health.findFault(client as unknown as RecyclingClient);
    if (!fault) return client;
    this.counts[fault] += 1;
    client.release(true);
    return undefined;
  }

  private lend(lendable: Lendable, deadline: Deadline): pg.PoolClient {
    const { client } = lendable;
    const recycling = client as unknown as RecyclingClient;
    this.monitor.watch(recycling, deadline);
    let isBack = false;
    client.release = (error?: Error | boolean) => {
      if (isBack)
        throw new Error('This connection was released before: somebody else may have it.');
      isBack = true;
      this.monitor.unwatch(recycling);
      if (error || recycling.isReady || recycling.isClosed) return this.takeBack(lendable, error);
      void this.takeBackSettled(lendable, recycling);
    };
    return client;
  }

  private async takeBackSettled(lendable: Lendable, client: RecyclingClient): Promise<void> {
    await client.settle();
    this.takeBack(lendable);
  }

  private takeBack(lendable: Lendable, error?: Error | boolean): void {
    const client = lendable.client as unknown as RecyclingClient;
    if (client.isClosed) this.health.noteFailed();
    else client.markUsed();
    const isFit = !error && !client.isDirty && !this.health.isOld(client);
    // it has just answered: a waiter need not validate it
    if (isFit && this.slots.handOver(lendable)) return;
    lendable.takeBack(error ?? client.isDirty);
    this.slots.giveBack();
  }
}

/** The pool of a DataSource that is open; TypeORM shows it to its own query runners only. */
export function poolOf({ driver }: DataSource): RecyclingPool {
  return (driver as unknown as { master: RecyclingPool }).master;
}

/** pg, for TypeORM's option `driver`, with this pool in place of its own. */
export const recyclingPg: typeof pg = Object.assign(Object.create(pg) as typeof pg, {
  Pool: RecyclingPool,
});
