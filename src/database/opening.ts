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
import { DeadlinePassed, remainingMs, withinDeadline, withLongStatements } from './deadline.js';
import { isDatabaseAway } from './failures.js';
import { poolOf } from './recycling-pool.js';
import { retryWhileAway } from './retry.js';
import { prepareSchema } from './schema.js';

const ATTEMPT_MS = 1000;
const PAUSE_MS = 250;

/**
 * Opens the database while the service listens already. One that is away is waited for; one that
 * refuses us, or whose schema cannot be brought up to date, ends the service.
 */
@Injectable()
export class DatabaseOpening implements OnApplicationBootstrap, OnModuleDestroy {
  /** Resolves once queries can be asked; rejects where waiting is no use. */
  readonly opened: Promise<void>;
  /** Whether queries can be asked. */
  isOpen = false;
  private readonly log = new Logger(DatabaseOpening.name);
  private isEnding = false;
  private lastFailure?: unknown;
  private begin!: () => void;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {
    this.opened = new Promise<void>((resolve) => (this.begin = resolve)).then(async () =>
      this.open(),
    );
    // whoever asks is told; with nobody asking yet, Node must not take it for an oversight
    this.opened.catch(() => undefined);
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

  /** @throws {DeadlinePassed} where the database is still away by then. */
  async wait(endsAt = Date.now() + environment.deadlineMs): Promise<void> {
    if (this.isOpen) return;
    const leaving = new AbortController();
    const late = wait(endsAt - Date.now(), undefined, { signal: leaving.signal });
    try {
      await Promise.race([this.opened, late.then(() => this.giveUp())]);
    } finally {
      leaving.abort();
    }
  }

  /**
   * Does work once the database is open, and again where its connection died, within one deadline:
   * that of what it is a part of, or its own.
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

  private giveUp(): never {
    throw new DeadlinePassed(this.lastFailure);
  }

  private async open(): Promise<void> {
    while (!this.isEnding && !(await this.tryToOpen())) await wait(PAUSE_MS);
  }

  private async tryToOpen(): Promise<boolean> {
    try {
      await withinDeadline(ATTEMPT_MS, async () => this.dataSource.initialize());
      await withLongStatements(environment.deadlineMs, async () =>
        prepareSchema(this.dataSource, environment.schema),
      );
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
}
