import type { ChangeResponse } from '../../src/marathon/marathon.dto.js';

/** Follows the change feed as a browser's EventSource does, without reconnecting. */
export async function* listen(
  url: string,
  headers: Record<string, string> = {},
): AsyncGenerator<ChangeResponse, undefined> {
  const leaving = new AbortController();
  const answer = await fetch(url, {
    headers: { Accept: 'text/event-stream', ...headers },
    signal: leaving.signal,
  });
  let unread = '';
  try {
    for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) {
      const events = (unread + text).split('\n\n');
      unread = events.pop()!;
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data) yield JSON.parse(data) as ChangeResponse;
      }
    }
  } finally {
    leaving.abort();
  }
  return undefined;
}
