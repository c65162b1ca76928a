import { Injectable, Logger } from '@nestjs/common';
import { DatabaseVersions } from './database-versions.js';

const POLL_INTERVAL_MS = 500;

/**
 * Signals new changes to listeners. One query of the head row serves all of them: immediately after a
 * write of this instance, and twice a second for the writes of other instances. Without listeners the
 * database is not queried, so that a serverless database can suspend.
 */
@Injectable()
export class ChangeSignal {
  private readonly log = new Logger(ChangeSignal.name);
  private nextPoll?: Promise<number>;
  private listenerCount = 0;
  private isUnavailable = false;
  private isNotified = false;
  private wake: () => void = () => undefined;

  constructor(private readonly versions: DatabaseVersions) {}

  /** Call it after a write. */
  notify(): void {
    this.isNotified = true;
    this.wake();
  }

  /** Resolves to whether there is a change after `since`; to false if `signal` aborts, or at the timeout. */
  async wait(since: number, signal: AbortSignal, timeoutMs: number): Promise<boolean> {
    const ending = new AbortController();
    const end = () => ending.abort();
    const ended = new Promise<number>((resolve) => {
      ending.signal.addEventListener('abort', () => resolve(since));
    });
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    this.listenerCount += 1;
    try {
      while (!ending.signal.aborted) {
        if ((await Promise.race([this.poll(), ended])) > since) return true;
      }
      return false;
    } finally {
      this.listenerCount -= 1;
      if (!this.listenerCount) this.wake();
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  /** Resolves to the number of the last change. Concurrent calls share one query. */
  private async poll(): Promise<number> {
    this.nextPoll ??= this.pauseAndFetch().finally(() => (this.nextPoll = undefined));
    return this.nextPoll;
  }

  private async pauseAndFetch(): Promise<number> {
    if (!this.isNotified) await this.pause();
    this.isNotified = false;
    if (!this.listenerCount) return 0;
    try {
      const { seq } = await this.versions.fetch();
      this.isUnavailable = false;
      return seq;
    } catch (error) {
      if (!this.isUnavailable) this.log.warn(`Listeners wait for the database: ${String(error)}`);
      this.isUnavailable = true;
      return 0;
    }
  }

  private async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_INTERVAL_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
