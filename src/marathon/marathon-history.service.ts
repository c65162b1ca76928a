import { Injectable } from '@nestjs/common';
import type { Deadline } from '../http/request-deadline.js';
import { DatabaseVersions } from '../journal/database-versions.js';
import { EPOCH_LENGTH } from '../journal/epoch.js';
import type { Change, JournalReader } from '../journal/journal-reader.js';
import { InjectJournalReader } from '../journal/journal.module.js';
import { ProblemError } from '../problems/problems.js';
import type { ChangeResponse, ChangesQuery, HistoryQuery } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

/** Reads earlier states of marathons, and their changes. */
@Injectable()
export class MarathonHistoryService {
  private readonly responses = new WeakMap<Change<Marathon>[], ChangeResponse[]>();

  constructor(
    @InjectJournalReader(Marathon) private readonly journal: JournalReader<Marathon>,
    private readonly versions: DatabaseVersions,
  ) {}

  /** The number of the last change at a point in time, 0 before the first. */
  async findSeqAt(time: Date, deadline?: Deadline): Promise<number> {
    return this.journal.findSeqAt(time, deadline);
  }

  /** @throws {ProblemError} `not_found` if there was no such marathon at that time. */
  async findOne(id: number, time: Date): Promise<Marathon> {
    const marathon = await this.journal.findOneAt(id, time);
    if (marathon) return marathon;
    throw new ProblemError('not_found', `There was no marathon ${id} at ${time.toISOString()}.`);
  }

  /**
   * The changes of a marathon, newest first. It may be deleted.
   * @throws {ProblemError} `not_found` if there never was such a marathon.
   */
  async history(id: number, { before, limit }: HistoryQuery): Promise<ChangeResponse[]> {
    const changes = await this.journal.history(id, limit, before);
    if (changes.length || before) return changes.map(toResponse);
    throw new ProblemError('not_found', `There never was a marathon ${id}.`);
  }

  /**
   * The changes of all marathons after `since`, in commit order.
   * @throws {ProblemError} `future_change` if there is no change `since` yet; `changes_lost` if it was lost.
   */
  async changes({ since = 0, limit }: ChangesQuery): Promise<ChangeResponse[]> {
    return this.journal.withinOneDeadline(async () => {
      await this.assertHappened(since);
      return (await this.journal.changes(since, limit)).map(toResponse);
    });
  }

  /** As `changes`, in pages, followed by new changes until `signal` aborts. */
  async *follow(since: number, signal: AbortSignal): AsyncGenerator<ChangeResponse[]> {
    for await (const page of this.journal.follow(since, signal)) yield this.toResponses(page);
  }

  /** Returns the same array for the same page, so that it is serialized once. */
  private toResponses(page: Change<Marathon>[]): ChangeResponse[] {
    const responses = this.responses.get(page) ?? page.map(toResponse);
    this.responses.set(page, responses);
    return responses;
  }

  /** @throws {ProblemError} `future_change` and `changes_lost`: a listener would miss changes. */
  async assertHappened(since: number): Promise<void> {
    await this.journal.withinOneDeadline(async () => {
      const { seq } = await this.versions.fetch();
      if (since > seq) {
        throw new ProblemError(
          'future_change',
          `There is no change ${since} yet: the last one is ${seq}.`,
        );
      }
      if (seq > EPOCH_LENGTH) await this.journal.assertNotLost(since);
    });
  }
}

function toResponse({ record, ...change }: Change<Marathon>): ChangeResponse {
  return { ...change, marathon: record };
}
