import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

type Done = (error?: Error) => void;
type Hook = (request: FastifyRequest, reply: FastifyReply, done: Done) => void;

/** What is done with a request before its body is read. It throws to reject the request, and does not wait. */
export type RequestStep = (request: FastifyRequest, reply: FastifyReply) => void;

const stepsOf = new WeakMap<FastifyInstance, RequestStep[]>();

/**
 * Adds a step for every request, also for one without a route. Fastify calls one hook for all steps that are added in
 * a row: a hook of its own costs a request more than most steps do (`docs/performance.md`).
 */
export function addRequestStep(fastify: FastifyInstance, step: RequestStep): void {
  const steps = stepsOf.get(fastify);
  if (steps) return void steps.push(step);
  const ownSteps = [step];
  stepsOf.set(fastify, ownSteps);
  fastify.addHook('onRequest', (request, reply, done) => {
    for (const take of ownSteps) take(request, reply);
    done();
  });
}

/** Ends a row of steps. Call it after the hook of a plugin: later steps come after that. */
export function endRequestSteps(fastify: FastifyInstance): void {
  stepsOf.delete(fastify);
}

/** Adds a step to a route that is being registered. It comes before the hooks that the route has. */
export function prependStep(route: RouteOptions, step: RequestStep): void {
  prependRequestHook(route, (request, reply, done) => {
    step(request, reply);
    done();
  });
}

/** Adds a hook that may wait to a route that is being registered. It becomes one with those that the route has. */
export function prependRequestHook(route: RouteOptions, hook: Hook): void {
  const [next, ...others] = [route.onRequest ?? []].flat() as Hook[];
  route.onRequest = next ? [inTurn(hook, next), ...others] : hook;
}

function inTurn(first: Hook, second: Hook): Hook {
  return (request, reply, done) => {
    first(request, reply, (error) => {
      if (error) return done(error);
      try {
        second(request, reply, done);
      } catch (thrown) {
        done(thrown as Error);
      }
    });
  };
}
