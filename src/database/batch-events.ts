import { channel } from 'node:diagnostics_channel';

/** A batch that was executed. */
export interface BatchEvent {
  /** What the batch does, such as `read` or `write`. */
  kind: string;
  size: number;
}

export const BATCH_EVENTS = 'marathon-registry.batch';
const events = channel(BATCH_EVENTS);

/** Tells whoever measures: https://nodejs.org/api/diagnostics_channel.html */
export function reportBatch(kind: string, size: number): void {
  if (events.hasSubscribers) events.publish({ kind, size } satisfies BatchEvent);
}
