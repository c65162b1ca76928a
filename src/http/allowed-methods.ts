import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problems.js';

/** The registered methods of every address. */
export type AllowedMethods = Map<string, Set<string>>;

/** Collects the methods of every route. Call it before the routes are registered. */
export function collectAllowedMethods(fastify: FastifyInstance): AllowedMethods {
  const allowed: AllowedMethods = new Map();
  fastify.addHook('onRoute', ({ url, method }) => {
    const methods = allowed.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    allowed.set(url, methods);
  });
  return allowed;
}

/**
 * Answers the other methods of every address: 405 with `Allow`, and 204 to OPTIONS (RFC 9110, sections
 * 15.5.6 and 9.3.7). Call it after all routes are registered.
 */
export function answerOtherMethods(fastify: FastifyInstance, allowed: AllowedMethods): void {
  const supported = new Set(fastify.supportedMethods);
  const additional = METHODS.filter((name) => !supported.has(name) && name !== 'CONNECT');
  for (const name of additional) fastify.addHttpMethod(name);
  for (const [url, methods] of Array.from(allowed)) {
    const allow = [...methods, 'OPTIONS'].toSorted().join(', ');
    const others = fastify.supportedMethods.filter((name) => !methods.has(name));
    const handler = answerWithAllow(allow);
    fastify.route({ method: others, url, config: { isCatchAll: true }, handler });
  }
}

function answerWithAllow(allow: string) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('Allow', allow);
    if (request.method === 'OPTIONS') return reply.code(204).send();
    throw new ProblemError(
      'method_not_allowed',
      `${request.method} is not supported here. Use one of ${allow}.`,
    );
  };
}
