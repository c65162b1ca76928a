import type { FastifyInstance } from 'fastify';

type Continue = () => void;

/** In a turn of the event loop. */
const MANY_REQUESTS = 50;
/** How long requests wait for connections to be accepted, before they are served. */
const MAX_ACCEPT_MS = 50;

/**
 * Accepts waiting connections before it serves further requests, if there are many of both. Node accepts one connection
 * in each turn of its event loop. A turn that serves hundreds of requests takes tens of milliseconds, and a thousand
 * clients that connect at once would wait for seconds; a turn that only accepts takes microseconds.
 * https://github.com/libuv/libuv/pull/3696
 */
export function acceptConnectionsFirst(fastify: FastifyInstance): void {
  let waiting: Continue[] = [];
  let servedInTurn = 0;
  let servedBefore = 0;
  let isAccepting = false;
  let hasAccepted = false;

  const endTurn = () => {
    servedBefore = servedInTurn;
    servedInTurn = 0;
  };

  const acceptUntil = (endsAt: number) => {
    setImmediate(() => {
      if (hasAccepted && Date.now() < endsAt) {
        hasAccepted = false;
        return acceptUntil(endsAt);
      }
      isAccepting = false;
      const continued = waiting;
      waiting = [];
      for (const serve of continued) serve();
    });
  };

  fastify.server.on('connection', () => {
    hasAccepted = true;
    if (isAccepting || Math.max(servedInTurn, servedBefore) < MANY_REQUESTS) return;
    isAccepting = true;
    acceptUntil(Date.now() + MAX_ACCEPT_MS);
  });
  fastify.addHook('onRequest', (_request, _reply, serve) => {
    if (isAccepting) return void waiting.push(serve);
    if (!servedInTurn) setImmediate(endTurn);
    servedInTurn += 1;
    serve();
  });
}
