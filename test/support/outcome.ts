import { appendFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';

/** Longer than any deadline of these tests: who waits for so long waits for ever. */
const LONGEST_ANSWER_MS = 18_000;

/** What clients saw of a fault. */
export interface Outcome {
  asked: number;
  /** Not answered as they would have been without the fault. */
  failed: number;
  /** Acknowledged, and not there. */
  lost: number;
  /** There more than once. */
  doubled: number;
}

/** Counts what clients are told, and compares it with what is stored. */
export class Clients {
  private readonly acknowledged: string[] = [];
  private asked = 0;
  private failed = 0;

  /** Writes a marathon of that name, and reads the list. */
  async writeAndRead(
    name: string,
    post: (name: string) => Promise<number>,
    list: () => Promise<number>,
  ): Promise<void> {
    if (await this.isAnswered(post(name), 201)) this.acknowledged.push(name);
    await this.isAnswered(list(), 200);
  }

  /** Compares with the names that are stored; FAULTS_REPORT names a file that keeps a line of it. */
  async mustHaveLostNothing(stored: string[]): Promise<void> {
    const there = new Set(stored);
    const outcome: Outcome = {
      asked: this.asked,
      failed: this.failed,
      lost: this.acknowledged.filter((name) => !there.has(name)).length,
      doubled: stored.length - there.size,
    };
    const { currentTestName } = expect.getState();
    const file = process.env.FAULTS_REPORT;
    if (file) await appendFile(file, `${JSON.stringify({ ...outcome, currentTestName })}\n`);
    expect(outcome).toEqual({ asked: this.asked, failed: 0, lost: 0, doubled: 0 });
  }

  private async isAnswered(answer: Promise<number>, expected: number): Promise<boolean> {
    this.asked += 1;
    const hung = new AbortController();
    const late = wait(LONGEST_ANSWER_MS, 0, { signal: hung.signal });
    late.catch(() => undefined);
    const status = await Promise.race([answer, late]).catch(() => 0);
    hung.abort();
    if (status !== expected) this.failed += 1;
    return status === expected;
  }
}
