import { Counter, Registry } from 'prom-client';
import type { Answered } from './answered.js';
import { RouteDurations } from './route-durations.js';

/** The metrics of this process. */
export const registry = new Registry();

const durations = new RouteDurations(
  'http_request_duration_seconds',
  'The time from the headers of a request to the end of its answer, by route and status.',
);
registry.registerMetric(durations as never);

const aborted = new Counter({
  name: 'http_requests_aborted_total',
  help: 'Requests whose client disconnected before the answer was complete.',
  registers: [registry],
});

export function measureRequest({ method, route, status, durationMs, isAborted }: Answered): void {
  if (isAborted) aborted.inc();
  durations.observe(method, route || 'unknown', status, durationMs / 1000);
}
