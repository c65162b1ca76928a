import { isUnavailable, openStream, UnavailableError } from './api.ts';
import type { Change } from './types.ts';

const LOCK = 'marathon-changes';
const RETRY_MS = 1000;
/** The service sends something every 15 seconds. A connection that is silent for longer is dead. */
const SILENCE_MS = 40_000;
const ACCEPT = { Accept: 'text/event-stream' };

/**
 * Follows the changes of all marathons after `since`. Browsers allow six connections to a service, so one tab
 * follows and tells the others. Where there are no locks (plain HTTP from another machine), each tab follows.
 */
export function followChanges(since: number, onChange: (change: Change) => void): void {
  let last = since;
  const receive = (change: Change) => {
    if (change.seq <= last) return;
    last = change.seq;
    onChange(change);
  };
  const channel = new BroadcastChannel(LOCK);
  channel.addEventListener('message', ({ data }: MessageEvent<Change>) => receive(data));
  const follow = async () =>
    followForEver(
      () => last,
      (change) => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no such argument
        channel.postMessage(change);
        receive(change);
      },
    );
  if (navigator.locks) void navigator.locks.request(LOCK, follow);
  else void follow();
}

async function followForEver(since: () => number, onChange: (change: Change) => void) {
  for (;;) {
    try {
      await followOnce(since(), onChange);
    } catch {
      // the dot shows it, and the next attempt follows
      isUnavailable.value = true;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Reads events (https://html.spec.whatwg.org/multipage/server-sent-events.html) until they end. */
async function followOnce(since: number, onChange: (change: Change) => void): Promise<void> {
  const body = await openStream(`/marathon/changes?since=${since}`, ACCEPT);
  isUnavailable.value = false;
  const reader = (body as ReadableStream<BufferSource>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';
  for (;;) {
    const { done, value } = await readWithin(reader, SILENCE_MS);
    if (done) return;
    const events = (text + value).split('\n\n');
    text = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data) onChange(JSON.parse(data) as Change);
    }
  }
}

/** @throws {UnavailableError} if nothing arrives within the time */
async function readWithin(reader: ReadableStreamDefaultReader<string>, timeoutMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new UnavailableError()), timeoutMs);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (error) {
    // the connection is dead already
    void reader.cancel(error).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
