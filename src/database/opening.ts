import { setTimeout as wait } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { environment } from '../environment.js';
import {
  currentDeadline,
  DeadlineExceeded,
  deadlineIn,
  remainingMs,
  settleBy,
  withinDeadline,
  withLongStatements,
  type Deadline,
} from './deadline.js';
import { isDatabaseAway } from './failures.js';
import { poolOf, type RecyclingPool } from './recycling-pool.js';
import { retryWhileAway } from './retry.js';
import { prepareSchema } from './schema.js';

/** The deadline of the work that calls this; without one, it starts now. */
export function startDeadline(): Deadline {
  return currentDeadline() ?? deadlineIn(environment.deadlineMs);
}

const ATTEMPT_MS = 1000;
const [MIN_DELAY_MS, MAX_DELAY_MS] = [250, 5000];

/**
 * Opens the database while the service listens already. One that is unavailable is waited for; one that
 * rejects us, or whose schema cannot be brought up to date, ends the service.
 *
 * While the database is out of reach it is probed, with backoff, so that an instance gets ready though
 * nobody sends it a request. A database that is reachable is never probed: it may go to sleep.
 */
@Injectable()
export class DatabaseOpening implements OnApplicationBootstrap, OnModuleDestroy {
  /** Resolves once queries can be asked; rejects where waiting is no use. */
  readonly opened: Promise<void>;
  /** Whether queries can be asked. */
  isOpen = false;
  private readonly log = new Logger(DatabaseOpening.name);
  private readonly aborted: Promise<never>;
  private isEnding = false;
  private isProbing = false;
  private waiting = 0;
  private lastFailure?: unknown;
  private begin!: () => void;
  private rejectWaiting!: (reason: Error) => void;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {
    this.opened = new Promise<void>((resolve) => (this.begin = resolve)).then(async () =>
      this.open(),
    );
    this.aborted = new Promise((_, reject) => (this.rejectWaiting = reject));
    // whoever waits is told; with nobody waiting yet, Node must not take it for an oversight
    this.opened.catch(() => undefined);
    this.aborted.catch(() => undefined);
  }

  /** Whether the database answered when it was last asked. */
  get isReachable(): boolean {
    return this.isOpen && poolOf(this.dataSource).isReachable;
  }

  onApplicationBootstrap(): void {
    this.begin();
  }

  /** An attempt under way is waited for, so that what it opened can be closed. */
  async onModuleDestroy(): Promise<void> {
    this.isEnding = true;
    this.begin();
    await this.opened.catch(() => undefined);
  }

  /** Gives up all that waits for the database, for a service that has to end: it is answered with 503. */
  abort(): void {
    this.isEnding = true;
    this.rejectWaiting(new DeadlineExceeded(this.lastFailure));
    // undefined until the first attempt to open it
    (poolOf(this.dataSource) as RecyclingPool | undefined)?.abort();
  }

  /** @throws {DeadlineExceeded} if the database is still unavailable by then. */
  async wait(endsAt = Date.now() + environment.deadlineMs): Promise<void> {
    if (this.isOpen) return;
    this.waiting += 1;
    try {
      const opened = Promise.race([this.opened, this.aborted]);
      await settleBy(endsAt, opened, () => this.lastFailure);
    } finally {
      this.waiting -= 1;
    }
  }

  /**
   * Runs work once the database is open, and again if its connection failed, within one deadline: that
   * of the work around it, or its own.
   */
  async persist<T>(work: () => Promise<T>, isTooLate?: () => boolean): Promise<T> {
    const deadlineMs = Math.min(environment.deadlineMs, remainingMs() ?? Infinity);
    return withinDeadline(deadlineMs, async () =>
      this.persistUntil(Date.now() + deadlineMs, work, isTooLate),
    );
  }

  /** The same for work that hands its deadline on by itself. */
  async persistUntil<T>(
    endsAt: number,
    work: () => Promise<T>,
    isTooLate?: () => boolean,
  ): Promise<T> {
    const attempt = async () => {
      if (!this.isOpen) await this.wait(endsAt);
      return work();
    };
    return retryWhileAway(attempt, isTooLate, endsAt);
  }

  private async open(): Promise<void> {
    for (
      let delayMs = MIN_DELAY_MS;
      !this.isEnding;
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)
    ) {
      if (await this.tryToOpen()) return;
      await this.pause(delayMs);
    }
  }

  /** A request that comes meanwhile does not wait for the rest of a long pause. */
  private async pause(delayMs: number): Promise<void> {
    for (let paused = 0; paused < delayMs; paused += MIN_DELAY_MS) {
      await wait(MIN_DELAY_MS);
      if (this.isEnding || this.waiting) return;
    }
  }

  private async tryToOpen(): Promise<boolean> {
    try {
      await withinDeadline(ATTEMPT_MS, async () => this.dataSource.initialize());
      await withLongStatements(environment.deadlineMs, async () =>
        prepareSchema(this.dataSource, environment.schema),
      );
      poolOf(this.dataSource).onUnreachable = () => void this.probe();
      this.isOpen = true;
      return true;
    } catch (error) {
      if (this.dataSource.isInitialized) await this.dataSource.destroy();
      if (!isDatabaseAway(error)) throw error;
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
    for (
      let delayMs = MIN_DELAY_MS;
      !this.isEnding;
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)
    ) {
      try {
        (await pool.checkOut(deadlineIn(ATTEMPT_MS))).release();
      } catch (error) {
        this.log.debug(`The database is not reached yet: ${String(error)}`);
      }
      if (pool.isReachable) break;
      await wait(delayMs, undefined, { ref: false });
    }
    this.isProbing = false;
  }
}
