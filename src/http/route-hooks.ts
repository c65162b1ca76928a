import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** Adds a hook to a route that is being registered. It runs before the hooks that the route has. */
export function prependHook(
  route: RouteOptions,
  name: 'onRequest' | 'preHandler',
  hook: Hook,
): void {
  const others = [route[name] ?? []].flat() as Hook[];
  route[name] = [hook, ...others];
}
