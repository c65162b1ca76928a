import { EventEmitter, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { aMarathon } from './a-marathon.js';
import { reportFault, type Outcome } from './fault-report.js';
import { random } from './seed.js';

/** Longer than any deadline of these tests. */
const RESPONSE_TIMEOUT_MS = 18_000;

interface LoadOptions {
  clients: number;
  /** The number of writes and reads of each client. */
  rounds?: number;
  /** Ends the load when it aborts. */
  until?: AbortSignal;
  /** The longest pause between two rounds. */
  pauseMs?: number;
}

/** Clients of a service with failing connections. They record its answers. */
export class Clients {
  private readonly acknowledged: string[] = [];
  private readonly answeredAt: number[] = [];
  private readonly counts = { requestCount: 0, failed: 0, slowestMs: 0 };
  private readonly answers = new EventEmitter();
  private recoveredAt?: number;
  private firstFailure?: string;

  constructor(private readonly url: string) {}

  /** The body of an answer with the expected status; undefined otherwise. */
  async ask(status: number, path = '', options: RequestInit = {}): Promise<string | undefined> {
    const sentAt = Date.now();
    const signal = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
    let failure: string;
    try {
      const answer = await fetch(`${this.url}/marathon/${path}`, { ...options, signal });
      const text = await answer.text();
      if (answer.status === status) return this.note(sentAt, text);
      failure = `${answer.status} ${text}`;
    } catch (error) {
      failure = String(error);
    }
    this.firstFailure ??= `${options.method ?? 'GET'} ${path}: ${failure}`;
    this.counts.failed += 1;
    return this.note(sentAt, undefined);
  }

  async post(name: string, headers: Record<string, string> = {}): Promise<string | undefined> {
    const answer = await this.ask(201, '', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(aMarathon({ name })),
    });
    if (answer) this.acknowledged.push(name);
    return answer;
  }

  async import(names: string[]): Promise<void> {
    const headers = { 'Content-Type': 'text/csv' };
    const body = ['name', ...names].join('\n');
    const answer = await this.ask(201, '', { method: 'POST', headers, body });
    if (answer) this.acknowledged.push(...names);
  }

  /** Each client writes and reads repeatedly. */
  async use({ clients, rounds = Infinity, until, pauseMs = 0 }: LoadOptions): Promise<void> {
    const useIt = async (client: number) => {
      for (let round = 0; round < rounds; round += 1) {
        if (until?.aborted) return;
        const created = await this.post(`${client}/${round}/${this.counts.requestCount}`);
        await this.ask(200, created && String(JSON.parse(created).id));
        if (pauseMs) await wait(pauseMs * random());
      }
    };
    await Promise.all(Array.from({ length: clients }, async (_, client) => useIt(client)));
  }

  /** Resolves after `count` more answers. */
  async untilAnswered(count: number): Promise<void> {
    const enough = this.counts.requestCount + count;
    while (this.counts.requestCount < enough) await once(this.answers, 'answer');
  }

  /** Call it when the database is available again. */
  noteRecovery(): void {
    this.recoveredAt = Date.now();
  }

  /**
   * Compares the acknowledged names with the stored ones. Times are compared with their limits by
   * `npm run faults` only.
   */
  async expectNothingLost(
    stored: string[],
    limits: Partial<Pick<Outcome, 'slowestMs' | 'recoveredMs'>> = {},
  ): Promise<void> {
    const there = new Set(stored);
    const lost = this.acknowledged.filter((name) => !there.has(name)).length;
    const outcome = { ...this.counts, lost, doubled: stored.length - there.size };
    await reportFault({ ...outcome, recoveredMs: this.recoveredMs }, limits);
    const { requestCount, slowestMs } = this.counts;
    expect({ ...outcome, first: this.firstFailure }).toEqual({
      requestCount,
      failed: 0,
      lost: 0,
      doubled: 0,
      slowestMs,
      first: undefined,
    });
  }

  private note<T>(sentAt: number, answer: T): T {
    const now = Date.now();
    this.counts.requestCount += 1;
    this.answers.emit('answer');
    this.counts.slowestMs = Math.max(this.counts.slowestMs, now - sentAt);
    if (answer !== undefined) this.answeredAt.push(now);
    return answer;
  }

  private get recoveredMs(): number | undefined {
    const { recoveredAt } = this;
    if (recoveredAt === undefined) return undefined;
    return this.answeredAt.toSorted((a, b) => a - b).find((at) => at >= recoveredAt)! - recoveredAt;
  }
}
