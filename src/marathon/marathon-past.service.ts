import { BadRequestException, Injectable, NotFoundException } from '@nestjs/common';
import type { Deadline } from '../http/request-deadline.js';
import { InjectPast } from '../journal/journal.module.js';
import { Moments, type Moment } from '../journal/moments.js';
import type { Change, Past } from '../journal/past.js';
import type { ChangesPage, ChangeView, HistoryPage } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

/** What was: the marathons as they were, and everything that was done to them. */
@Injectable()
export class MarathonPastService {
  private readonly shownPages = new WeakMap<Change<Marathon>[], ChangeView[]>();

  constructor(
    @InjectPast(Marathon) private readonly past: Past<Marathon>,
    private readonly moments: Moments,
  ) {}

  /** How far the registry is: while that stays the same, so does the list. */
  now(endsAt?: number): Promise<Moment> {
    return this.moments.now(endsAt);
  }

  /** The number of the last change at a time, 0 before the first. */
  async findSeqAt(time: Date, deadline?: Deadline): Promise<number> {
    return this.past.findSeqAt(time, deadline);
  }

  /** @throws {NotFoundException} where there was no such marathon then. */
  async findOne(id: number, time: Date): Promise<Marathon> {
    const marathon = await this.past.findOneAt(id, time);
    if (marathon) return marathon;
    throw new NotFoundException(`There was no marathon ${id} at ${time.toISOString()}.`);
  }

  /**
   * What was done to one marathon, newest first; it may be deleted by now.
   * @throws {NotFoundException} where there never was one.
   */
  async history(id: number, { before, limit }: HistoryPage): Promise<ChangeView[]> {
    const changes = await this.past.history(id, limit, before);
    if (changes.length || before) return changes.map(show);
    throw new NotFoundException(`There never was a marathon ${id}.`);
  }

  /**
   * What was done to all of them after the change `since`, in that order.
   * @throws {BadRequestException} where there is no such change yet.
   */
  async changes({ since = 0, limit }: ChangesPage): Promise<ChangeView[]> {
    return this.past.withinOneDeadline(async () => {
      await this.mustHaveHappened(since);
      return (await this.past.changes(since, limit)).map(show);
    });
  }

  /** The same page by page, and what is done from now on, until `signal` aborts. */
  async *follow(since: number, signal: AbortSignal): AsyncGenerator<ChangeView[]> {
    for await (const page of this.past.follow(since, signal)) yield this.showOnce(page);
  }

  /** The same array for the same page, so that it is serialised once. */
  private showOnce(page: Change<Marathon>[]): ChangeView[] {
    const shown = this.shownPages.get(page) ?? page.map(show);
    this.shownPages.set(page, shown);
    return shown;
  }

  /** Who waits for what comes after a change of the future would miss all until then. */
  async mustHaveHappened(since: number): Promise<void> {
    const { seq } = await this.moments.now();
    if (since <= seq) return;
    throw new BadRequestException(`There is no change ${since} yet: the last one is ${seq}.`);
  }
}

function show({ record, ...change }: Change<Marathon>): ChangeView {
  return { ...change, marathon: record };
}
