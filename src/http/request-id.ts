import type { FastifyRequest } from 'fastify';

/** A text that may be in a log and in a header. */
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACE_PARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;

declare module 'fastify' {
  interface FastifyRequest {
    /** The id that a trusted proxy gave the request. Two requests may have the same one. */
    traceId?: string;
  }
}

/** The id by which a request is found in logs: that of a trusted proxy, or one of this service. */
export function logIdOf({ id, traceId }: FastifyRequest): string {
  return traceId ?? id;
}

/** The id in `X-Request-Id`, or the trace in `traceparent`; undefined without a valid one. */
export function receivedIdOf({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers;
  const id = headers['x-request-id'];
  if (typeof id === 'string' && REQUEST_ID.test(id)) return id;
  return typeof traceparent === 'string' ? TRACE_PARENT.exec(traceparent)?.[1] : undefined;
}
