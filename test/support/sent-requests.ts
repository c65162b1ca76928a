import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Of `fetch`: a request and its body were given to the operating system. */
const SENT = 'undici:request:bodySent';

/** Resolves when `fetch` has sent this many more requests. Call it before they are sent. */
export async function untilSent(count: number): Promise<void> {
  let sent = 0;
  return new Promise((resolve) => {
    const note = () => {
      sent += 1;
      if (sent < count) return;
      unsubscribe(SENT, note);
      resolve();
    };
    subscribe(SENT, note);
  });
}
