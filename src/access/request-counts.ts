import type { Counts } from '../workers/messages.js';
import type { SharedCounts } from '../workers/shared-counts.js';

/** How many more requests a client may send, and until when. */
export interface Allowance {
  remaining: number;
  resetSeconds: number;
}

const WINDOW_MS = 60_000;
/** The number of clients that are counted. Beyond it, all counts begin again. */
const MAX_CLIENTS = 50_000;

/** Counts the requests of clients in windows of a minute. All windows begin and end together. */
export class RequestCounts implements SharedCounts {
  private readonly counts = new Map<string | number, number>();
  /** What other workers do not know yet. */
  private readonly untold = new Map<string | number, number>();
  private endsAt = 0;

  constructor(private readonly isShared: boolean) {}

  /** Counts a request. `remaining` is negative if the client has sent too many. */
  count(client: string | number, limit: number): Allowance {
    const now = Date.now();
    this.beginWindow(now, now + WINDOW_MS);
    const count = (this.counts.get(client) ?? 0) + 1;
    this.counts.set(client, count);
    if (this.isShared) this.untold.set(client, (this.untold.get(client) ?? 0) + 1);
    return { remaining: limit - count, resetSeconds: Math.ceil((this.endsAt - now) / 1000) };
  }

  takeNew(): Counts {
    const counts = [...this.untold];
    this.untold.clear();
    return counts;
  }

  add(counts: Counts, endsAt: number): void {
    this.beginWindow(Date.now(), endsAt);
    for (const [client, count] of counts)
      this.counts.set(client, (this.counts.get(client) ?? 0) + count);
  }

  get windowEndsAt(): number {
    return this.endsAt;
  }

  private beginWindow(now: number, endsAt: number): void {
    if (now < this.endsAt && this.counts.size < MAX_CLIENTS) return;
    this.counts.clear();
    this.untold.clear();
    this.endsAt = endsAt;
  }
}
