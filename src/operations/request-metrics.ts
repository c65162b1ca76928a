import { Counter, Histogram, Registry } from 'prom-client';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** An answered request. */
export interface ObservedRequest {
  request: FastifyRequest;
  reply: FastifyReply;
  durationMs: number;
  /** The address as it was registered, without values: `/marathon/:id`; empty for an unknown one. */
  route: string;
  /** Of the client. It is read first, because a closed connection has none. */
  address: string;
  /** Whether the client disconnected before the answer was complete. */
  isAborted: boolean;
}

/** The metrics of this process. */
export const registry = new Registry();

const BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'The time from the headers of a request to the end of its answer, by route and status.',
  labelNames: ['method', 'route', 'status'],
  buckets: BUCKETS_SECONDS,
  registers: [registry],
});
const aborted = new Counter({
  name: 'http_requests_aborted_total',
  help: 'Requests whose client disconnected before the answer was complete.',
  registers: [registry],
});

type Observe = (seconds: number) => void;

/** Finding the labels costs several times as much as counting. There are as many as routes and statuses. */
const observers = new Map<string, Observe>();

export function measureRequest({ request, reply, durationMs, route, isAborted }: ObservedRequest) {
  const { statusCode } = reply.raw;
  if (isAborted) aborted.inc();
  const key = `${request.method} ${statusCode} ${route}`;
  const observe = observers.get(key) ?? observerOf(request.method, route, statusCode);
  observers.set(key, observe);
  observe(durationMs / 1000);
}

function observerOf(method: string, route: string, status: number): Observe {
  const child = durations.labels({ method, route: route || 'unknown', status });
  return (seconds) => child.observe(seconds);
}
