/** How many more requests a client may send, and until when. */
export interface Allowance {
  remaining: number;
  resetSeconds: number;
}

const WINDOW_MS = 60_000;
/** The number of clients that are counted. Beyond it, all counts begin again. */
const MAX_CLIENTS = 50_000;

/** Counts the requests of clients in windows of a minute. All windows begin and end together. */
export class RequestCounts {
  private readonly counts = new Map<string | number, number>();
  private endsAt = 0;

  /** Counts a request. `remaining` is negative if the client has sent too many. */
  count(client: string | number, limit: number): Allowance {
    const now = Date.now();
    if (now >= this.endsAt || this.counts.size >= MAX_CLIENTS) {
      this.counts.clear();
      this.endsAt = now + WINDOW_MS;
    }
    const count = (this.counts.get(client) ?? 0) + 1;
    this.counts.set(client, count);
    return { remaining: limit - count, resetSeconds: Math.ceil((this.endsAt - now) / 1000) };
  }
}
