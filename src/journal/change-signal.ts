import { Injectable, Logger } from '@nestjs/common';
import { Moments } from './moments.js';

const LOOK_AGAIN_MS = 500;

/**
 * Tells those who wait that the journal went on. One look at the head row serves all of them: at once
 * after a write of this instance, twice a second for the writes of others, and never while nobody
 * waits, so that a sleeping database may sleep.
 */
@Injectable()
export class ChangeSignal {
  private readonly log = new Logger(ChangeSignal.name);
  private nextLook?: Promise<number>;
  private waiting = 0;
  private isAway = false;

  private hasNews = false;
  private wake: () => void = () => undefined;

  constructor(private readonly moments: Moments) {}

  /** To be called after a write. */
  nudge(): void {
    this.hasNews = true;
    this.wake();
  }

  /** Whether there is a change after `since` before `signal` aborts or so much time has passed. */
  async wait(since: number, signal: AbortSignal, longestMs: number): Promise<boolean> {
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    const over = new Promise<number>((resolve) => {
      leaving.signal.addEventListener('abort', () => resolve(since));
    });
    const timer = setTimeout(leave, longestMs);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    this.waiting += 1;
    try {
      while (!leaving.signal.aborted) {
        if ((await Promise.race([this.look(), over])) > since) return true;
      }
      return false;
    } finally {
      this.waiting -= 1;
      if (!this.waiting) this.wake();
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    }
  }

  private async look(): Promise<number> {
    this.nextLook ??= this.pauseAndLook().finally(() => (this.nextLook = undefined));
    return this.nextLook;
  }

  private async pauseAndLook(): Promise<number> {
    if (!this.hasNews) await this.pause();
    this.hasNews = false;
    if (!this.waiting) return 0;
    try {
      const { seq } = await this.moments.now();
      this.isAway = false;
      return seq;
    } catch (error) {
      if (!this.isAway) this.log.warn(`Listeners wait for the database: ${String(error)}`);
      this.isAway = true;
      return 0;
    }
  }

  private async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const pause = setTimeout(resolve, LOOK_AGAIN_MS);
      this.wake = () => {
        clearTimeout(pause);
        resolve();
      };
    });
  }
}
