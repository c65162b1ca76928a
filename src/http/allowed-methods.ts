import { METHODS } from 'node:http';
import { MethodNotAllowedException } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The methods that every address answers, as they are registered. */
export type AllowedMethods = Map<string, Set<string>>;

/** Call before the routes are registered. */
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
 * Gives every address an answer to the methods it does not have: 405 with `Allow`, and 204 to OPTIONS
 * (RFC 9110, sections 15.5.6 and 9.3.7). Call once all routes are registered.
 */
export function answerOtherMethods(fastify: FastifyInstance, allowed: AllowedMethods): void {
  const known = new Set(fastify.supportedMethods);
  for (const name of METHODS.filter((method) => !known.has(method) && method !== 'CONNECT')) {
    fastify.addHttpMethod(name);
  }
  for (const [url, methods] of Array.from(allowed)) {
    const allow = [...methods, 'OPTIONS'].toSorted().join(', ');
    const others = fastify.supportedMethods.filter((name) => !methods.has(name));
    fastify.route({ method: others, url, config: { isRefusal: true }, handler: answerWith(allow) });
  }
}

function answerWith(allow: string) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('Allow', allow);
    if (request.method === 'OPTIONS') return reply.code(204).send();
    throw new MethodNotAllowedException(`${request.method} is not possible here, but ${allow}.`);
  };
}
