import { channel } from 'node:diagnostics_channel';

/**
 * What happens to connections:
 * - `recycled`: a connection was too old, and was closed.
 * - `ping_failed`: an idle connection was dead.
 * - `abandoned`: a connection owed a response for too long.
 * - `retried`: work was repeated because its connection failed.
 */
export const POOL_EVENT_NAMES = ['recycled', 'ping_failed', 'abandoned', 'retried'] as const;
export type PoolEvent = (typeof POOL_EVENT_NAMES)[number];

export const POOL_EVENTS = 'marathon-registry.pool';
const events = channel(POOL_EVENTS);

/** Tells whoever measures: https://nodejs.org/api/diagnostics_channel.html */
export function reportPoolEvent(event: PoolEvent): void {
  if (events.hasSubscribers) events.publish(event);
}
