import type { FastifyReply, FastifyRequest } from 'fastify';

/** What is known of a request when its answer is complete, or its client is gone. */
export interface Answered {
  request: FastifyRequest;
  reply: FastifyReply;
  /** The address as it was registered, without values: `/marathon/:id`; empty for an unknown one. */
  route: string;
  /** From the headers of the request to the end of its answer. */
  durationMs: number;
  isAborted: boolean;
}
