import type { FastifyInstance, FastifyRequest } from 'fastify';
import { currentDeadline, deadlineIn, type Deadline } from '../pool/deadline.js';

export type { Deadline } from '../pool/deadline.js';

declare module 'fastify' {
  interface FastifyInstance {
    deadlineMs: number;
  }
}

/** Sets how long requests wait for the database. */
export function setRequestDeadline(fastify: FastifyInstance, deadlineMs: number): void {
  fastify.decorate('deadlineMs', deadlineMs);
}

/** The deadline of the current work; a new one if there is none. */
export function startDeadline({ server }: FastifyRequest): Deadline {
  return currentDeadline() ?? deadlineIn(server.deadlineMs);
}
