import { setTimeout as wait } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { isDatabaseUnavailable } from '../pool/database-errors.js';
import {
  currentDeadline,
  DeadlineExceededError,
  deadlineIn,
  remainingMs,
  settleBy,
  withinDeadline,
  withLongStatements,
  type Deadline,
} from '../pool/deadline.js';
import { poolOf, type RecyclingPool } from '../pool/recycling-pool.js';
import { ATTEMPT_TIMEOUT_MS, connect, destroy } from './connect.js';
import { makeDirectDataSource } from './data-source.js';
import { isDistributed } from './distribution.js';
import { Retry } from './retry.js';
import { SchemaHooks } from './schema-hooks.js';

const [MIN_DELAY_MS, MAX_DELAY_MS] = [250, 5000];

/**
 * Connects to the database while the service already listens. An unavailable database is retried. The
 * service ends if the database rejects the connection, or if its schema cannot be brought up to date.
 *
 * While the database is unreachable it is probed with backoff, so that an instance becomes ready although
 * no requests are routed to it. A reachable database is not probed, so that it can suspend.
 */
@Injectable()
export class DatabaseStartup
  implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  /**
   * Resolves when the database can be queried, or when the application is closed before. Rejects if the service must
   * end.
   */
  readonly ready: Promise<void>;
  /** Rejects when work no longer waits for the database, because the service must end. */
  readonly aborted: Promise<never>;
  /** Whether the application is being closed. */
  isEnding = false;
  readonly retry: Retry;
  /** The database without a pooler, if its address is set. For what needs a session of its own. */
  readonly direct: DataSource;
  /** How long a request waits for the database. */
  readonly deadlineMs: number;
  private readonly log = new Logger(DatabaseStartup.name);
  private isReady = false;
  private isProbing = false;
  private waitingCount = 0;
  private lastFailure?: unknown;
  private begin!: () => void;
  private rejectWaiting!: (reason: Error) => void;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectSettings() private readonly settings: Settings,
    private readonly schemaHooks: SchemaHooks,
  ) {
    this.deadlineMs = settings.deadlineMs;
    this.direct = makeDirectDataSource(dataSource, settings);
    this.retry = new Retry(settings.deadlineMs);
    const begun = new Promise<void>((resolve) => (this.begin = resolve));
    this.ready = begun.then(async () => this.connect());
    this.aborted = new Promise((_, reject) => (this.rejectWaiting = reject));
    // callers handle these rejections; until there is one, Node must not treat them as unhandled
    this.ready.catch(() => undefined);
    this.aborted.catch(() => undefined);
  }

  /** Whether the last use of the database succeeded. */
  get isReachable(): boolean {
    return this.isReady && poolOf(this.dataSource).isReachable;
  }

  /** Whether tables are distributed over several servers. */
  get isDistributed(): boolean {
    return isDistributed(this.dataSource);
  }

  onApplicationBootstrap(): void {
    this.begin();
  }

  onModuleDestroy(): void {
    this.isEnding = true;
    this.begin();
  }

  /**
   * Waits for an attempt in progress, so that its connections can be closed. The other DataSource is closed by its
   * module.
   */
  async onApplicationShutdown(): Promise<void> {
    await this.ready.catch(() => undefined);
    if (this.direct !== this.dataSource) await destroy(this.direct);
  }

  /** The deadline of the current work; a new one if there is none. */
  startDeadline(): Deadline {
    return currentDeadline() ?? deadlineIn(this.deadlineMs);
  }

  /** Rejects all work that waits for the database. For a service that must end. */
  abort(): void {
    this.isEnding = true;
    this.rejectWaiting(new DeadlineExceededError(this.lastFailure));
    // undefined before the first attempt
    (poolOf(this.dataSource) as RecyclingPool | undefined)?.abort();
  }

  /** @throws {DeadlineExceededError} if the database is still unavailable at `endsAt`. */
  async wait(endsAt = Date.now() + this.deadlineMs): Promise<void> {
    if (this.isReady) return;
    this.waitingCount += 1;
    try {
      const ready = Promise.race([this.ready, this.aborted]);
      await settleBy(endsAt, ready, () => this.lastFailure);
    } finally {
      this.waitingCount -= 1;
    }
    if (!this.isReady) throw new DeadlineExceededError(this.lastFailure);
  }

  /**
   * Runs work when the database is ready, and retries it if its connection fails, under the current
   * deadline or a new one.
   */
  async withRetry<T>(work: () => Promise<T>, responseStarted?: () => boolean): Promise<T> {
    const deadlineMs = Math.min(this.deadlineMs, remainingMs() ?? Infinity);
    return withinDeadline(deadlineMs, async () =>
      this.withRetryUntil(Date.now() + deadlineMs, work, responseStarted),
    );
  }

  /** As `withRetry`, for statements that may take minutes: only the waits for the database are limited. */
  async withLongStatements<T>(work: () => Promise<T>): Promise<T> {
    const endsAt = Date.now() + this.deadlineMs;
    return withLongStatements(this.deadlineMs, async () => this.withRetryUntil(endsAt, work));
  }

  /** As `withRetry`, for work that passes its deadline on explicitly. */
  async withRetryUntil<T>(
    endsAt: number,
    work: () => Promise<T>,
    responseStarted?: () => boolean,
  ): Promise<T> {
    const attempt = async () => {
      if (!this.isReady) await this.wait(endsAt);
      return work();
    };
    return this.retry.transient(attempt, { responseStarted, endsAt });
  }

  private async connect(): Promise<void> {
    for (const delayMs of backoff()) {
      // requests that wait are answered before the application is closed
      if (this.isEnding && !this.waitingCount) return;
      if (await this.tryToConnect()) return;
      await this.pause(delayMs);
    }
  }

  /** A request that arrives ends a long pause. */
  private async pause(delayMs: number): Promise<void> {
    for (let pausedMs = 0; pausedMs < delayMs; pausedMs += MIN_DELAY_MS) {
      await wait(MIN_DELAY_MS);
      if (this.isEnding || this.waitingCount) return;
    }
  }

  private async tryToConnect(): Promise<boolean> {
    const { dataSource, direct, settings, schemaHooks } = this;
    try {
      const { isReadOnly } = await connect(dataSource, direct, settings, schemaHooks);
      if (isReadOnly) this.retry.noteReadOnly();
      poolOf(dataSource).onUnreachable = () => void this.probe();
      this.isReady = true;
      return true;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      if (!this.lastFailure) this.log.warn(`Waiting for the database: ${String(error)}`);
      this.lastFailure = error;
      return false;
    }
  }

  /** Connects until the database is reachable again. */
  private async probe(): Promise<void> {
    if (this.isProbing) return;
    this.isProbing = true;
    const pool = poolOf(this.dataSource);
    for (const delayMs of backoff()) {
      if (this.isEnding) break;
      try {
        (await pool.checkOut(deadlineIn(ATTEMPT_TIMEOUT_MS))).release();
      } catch (error) {
        this.log.debug(`The database is still unreachable: ${String(error)}`);
      }
      if (pool.isReachable) break;
      await wait(delayMs, undefined, { ref: false });
    }
    this.isProbing = false;
  }
}

function* backoff(): Generator<number> {
  for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) yield delayMs;
}
