import type { Counts } from './messages.js';
import { isWorker, onMessage, tellPrimary } from './this-worker.js';

/** Counts that several processes share. */
export interface SharedCounts {
  /** What was counted here since the last call. */
  takeNew: () => Counts;
  /** Adds what was counted elsewhere. */
  add: (counts: Counts, endsAt: number) => void;
  /** When the counts begin again, in milliseconds since the epoch. */
  windowEndsAt: number;
}

/** A client may exceed its limit by what it sends in this time. */
const SHARE_INTERVAL_MS = 100;

/** Tells the other workers what was counted here. Returns a function that ends that. */
export function shareCounts(counts: SharedCounts): () => void {
  if (!isWorker) return () => undefined;
  const stop = onMessage('counts', ({ counts: counted, endsAt }) => counts.add(counted, endsAt));
  const timer = setInterval(() => {
    const counted = counts.takeNew();
    if (counted.length)
      tellPrimary({ kind: 'counts', counts: counted, endsAt: counts.windowEndsAt });
  }, SHARE_INTERVAL_MS).unref();
  return () => {
    stop();
    clearInterval(timer);
  };
}
