import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { withinDeadline } from '../database/deadline.js';
import { environment } from '../environment.js';

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
  private isAway = false;

  /** To be called after a write. */
  nudge: () => void = () => undefined;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** The number of the last change, 0 before the first. */
  async findLatestSeq(): Promise<number> {
    const heads: { seq: string }[] = await this.dataSource.query('SELECT seq FROM journal_head');
    return Number(heads[0]?.seq ?? 0);
  }

  /** Whether there is a change after `since` before `signal` aborts or so much time has passed. */
  async wait(since: number, signal: AbortSignal, longestMs: number): Promise<boolean> {
    const over = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
    const isOver = new Promise<number>((resolve) => {
      over.addEventListener('abort', () => resolve(since), { once: true });
    });
    while (!over.aborted) if ((await Promise.race([this.look(), isOver])) > since) return true;
    return false;
  }

  private async look(): Promise<number> {
    this.nextLook ??= this.pauseAndLook().finally(() => (this.nextLook = undefined));
    return this.nextLook;
  }

  private async pauseAndLook(): Promise<number> {
    await new Promise<void>((resolve) => {
      const pause = setTimeout(resolve, LOOK_AGAIN_MS);
      this.nudge = () => {
        clearTimeout(pause);
        resolve();
      };
    });
    try {
      const seq = await withinDeadline(environment.deadlineMs, async () => this.findLatestSeq());
      this.isAway = false;
      return seq;
    } catch (error) {
      if (!this.isAway) this.log.warn(`Listeners wait for the database: ${String(error)}`);
      this.isAway = true;
      return 0;
    }
  }
}
