import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { QueryParameters } from '../query/parameters.js';
import { takeParameters } from './route-rules.js';

/**
 * A parameter of a handler that is read from its request, checked, or refused. Nest would do the same
 * by pipes, and awaits each of them for each parameter: that costs a request more than all the checks.
 */
export function fromRequest(
  read: (request: FastifyRequest, reply: FastifyReply) => unknown,
): ParameterDecorator {
  return createParamDecorator((_, context: ExecutionContext) =>
    read(context.getArgByIndex(0), context.getArgByIndex(1)),
  )();
}

/** The same of its query parameters; a route without any such parameter takes none. */
export function fromQuery(read: (query: QueryParameters) => unknown): ParameterDecorator {
  return createParamDecorator(
    (_, context: ExecutionContext) =>
      read(context.getArgByIndex<FastifyRequest>(0).query as QueryParameters),
    [takeParameters],
  )();
}
