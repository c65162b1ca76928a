import type { Counts } from '../workers/messages.js';
import type { SharedCounts } from '../workers/shared-counts.js';

const WINDOW_MS = 60_000;
/** The number of clients that are counted. Beyond it, all counts begin again. */
const MAX_CLIENTS = 50_000;

/** Counts the requests of clients in windows of a minute. All windows begin and end together. */
export class RequestCounts implements SharedCounts {
  private readonly counts = new Map<string | number, number>();
  /** What other workers do not know yet. */
  private readonly untold = new Map<string | number, number>();
  private endsAt = 0;
  /** Ends the window. A timer, because reading the clock costs each request. */
  private timer?: NodeJS.Timeout;

  constructor(private readonly isShared: boolean) {}

  /** Counts a request, and returns how many more the client may send; negative if it has sent too many. */
  count(client: string | number, limit: number): number {
    if (!this.timer || this.counts.size >= MAX_CLIENTS) this.beginWindow(Date.now() + WINDOW_MS);
    const count = (this.counts.get(client) ?? 0) + 1;
    this.counts.set(client, count);
    if (this.isShared) this.untold.set(client, (this.untold.get(client) ?? 0) + 1);
    return limit - count;
  }

  /** How long until clients may send as many again. */
  get resetSeconds(): number {
    return Math.max(0, Math.ceil((this.endsAt - Date.now()) / 1000));
  }

  takeNew(): Counts {
    const counts = [...this.untold];
    this.untold.clear();
    return counts;
  }

  add(counts: Counts, endsAt: number): void {
    if (!this.timer || this.counts.size >= MAX_CLIENTS) this.beginWindow(endsAt);
    for (const [client, count] of counts)
      this.counts.set(client, (this.counts.get(client) ?? 0) + count);
  }

  get windowEndsAt(): number {
    return this.endsAt;
  }

  private beginWindow(endsAt: number): void {
    clearTimeout(this.timer);
    this.counts.clear();
    this.untold.clear();
    this.endsAt = endsAt;
    this.timer = setTimeout(() => (this.timer = undefined), endsAt - Date.now()).unref();
  }
}
