import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { QueryParameters } from '../query/parameters.js';
import { describeParameters } from './api-parameters.js';
import type { ApiParameter } from './api-types.js';
import { acceptParameters } from './route-rules.js';

/**
 * Makes a parameter decorator that reads and validates a part of the request. Pipes would do the same,
 * but Nest awaits each pipe of each parameter, which costs a request more than all validation:
 * `docs/performance.md` has the figures. `parameters` describe what is read, for `/openapi.json`.
 */
export function fromRequest(
  read: (request: FastifyRequest, reply: FastifyReply) => unknown,
  parameters: ApiParameter[] = [],
): ParameterDecorator {
  return createParamDecorator(
    (_, context: ExecutionContext) => read(context.getArgByIndex(0), context.getArgByIndex(1)),
    [describeParameters(parameters)],
  )();
}

/**
 * As `fromRequest`, for query parameters. A route without such a decorator rejects every query
 * parameter.
 */
export function fromQuery(
  read: (query: QueryParameters, reply: FastifyReply) => unknown,
  parameters: ApiParameter[] = [],
): ParameterDecorator {
  return createParamDecorator(
    (_, context: ExecutionContext) =>
      read(
        context.getArgByIndex<FastifyRequest>(0).query as QueryParameters,
        context.getArgByIndex(1),
      ),
    [acceptParameters, describeParameters(parameters)],
  )();
}

/** Gives a handler a parameter of its path as text. */
export function textFromPath(name: string, example: string): ParameterDecorator {
  return fromRequest(
    ({ params }) => (params as Record<string, string>)[name],
    [{ in: 'path', name, required: true, schema: { type: 'string' }, example }],
  );
}
