import { randomBytes } from 'node:crypto';
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

/**
 * What the ids of all requests of this process begin with. They are neighbours in the journal's index, which makes
 * inserting them cheaper. Each line of the log and each stored request has it, so it is short: 96 random bits.
 */
export const REQUEST_ID_PREFIX = `${randomBytes(12).toString('base64url')}/`;

let count = 0;

/** Numbers the requests of this process. Most requests need no text of it: reads are never stored. */
export function nextRequestNumber(): number {
  count += 1;
  return count;
}

/** An id that no other request has, of any process. It identifies a write that is retried. */
export function uniqueIdOf({ id }: FastifyRequest): string {
  return `${REQUEST_ID_PREFIX}${id}`;
}

/** The id in `X-Request-Id`, or the trace in `traceparent`; undefined without a valid one. */
export function receivedIdOf({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers;
  const id = headers['x-request-id'];
  if (typeof id === 'string' && REQUEST_ID.test(id)) return id;
  return typeof traceparent === 'string' ? TRACE_PARENT.exec(traceparent)?.[1] : undefined;
}
