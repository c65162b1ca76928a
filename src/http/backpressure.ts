import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

const DRAIN_TIMEOUT_MS = 30_000;

/**
 * Writes a chunk and waits until the client has room for the next one.
 * @throws {Error} named AbortError if the client reads nothing for 30 seconds, or `signal` aborts.
 */
export async function writeWithBackpressure(
  response: ServerResponse,
  chunk: Buffer,
  signal: AbortSignal,
): Promise<void> {
  if (response.write(chunk)) return;
  const waiting = new AbortController();
  const abort = () => waiting.abort();
  const timer = setTimeout(abort, DRAIN_TIMEOUT_MS);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    await once(response, 'drain', { signal: waiting.signal });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
