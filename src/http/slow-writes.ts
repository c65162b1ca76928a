import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

const SLOWEST_DRAIN_MS = 30_000;

/**
 * Writes, and waits for room where there is none.
 * @throws {Error} named AbortError where the client takes nothing for 30 seconds, or `signal` aborts.
 */
export async function writeSlowly(
  response: ServerResponse,
  bytes: string | Buffer,
  signal: AbortSignal,
): Promise<void> {
  if (response.write(bytes)) return;
  const waiting = new AbortController();
  const giveUp = () => waiting.abort();
  const timer = setTimeout(giveUp, SLOWEST_DRAIN_MS);
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  try {
    await once(response, 'drain', { signal: waiting.signal });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
