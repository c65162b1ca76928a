import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../config/settings.js';
import { answerClientError } from '../http/client-errors.js';
import { addRequestStep } from '../http/route-hooks.js';
import { guardServer, serverOptions } from '../http/server-options.js';
import { ProblemError } from '../problems/problems.js';

/** What is on the admin port only, if there is one. */
const ADMIN_ADDRESSES = /^\/(metrics|docs|keys)(\/|$)/;
/** What both ports answer. */
const COMMON_ADDRESSES = /^\/(health|problems|openapi\.json)(\/|$)/;

declare module 'fastify' {
  interface FastifyInstance {
    adminServer?: Server;
  }
}

/**
 * With `ADMIN_PORT`, separates the addresses of the two ports. Call it before the routes are registered.
 */
export function separateAdminAddresses(fastify: FastifyInstance, settings: Settings): void {
  if (settings.adminPort === undefined) return;
  const sockets = new WeakSet<Socket>();
  const server = createServer(serverOptions(settings), (request, response) =>
    fastify.routing(request, response),
  );
  guardServer(server, settings);
  server.on('clientError', answerClientError);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  fastify.decorate('adminServer', server);
  fastify.addHook('preClose', async () => {
    server.close();
    server.closeAllConnections();
  });
  addRequestStep(fastify, ({ raw, routeOptions }) => {
    // the route, because there are several ways to write its address
    const { url = '' } = routeOptions;
    const isOnAdminPort = sockets.has(raw.socket);
    if (!COMMON_ADDRESSES.test(url) && ADMIN_ADDRESSES.test(url) !== isOnAdminPort) {
      throw new ProblemError('unknown_address', `There is no ${url} on this port.`);
    }
  });
}

/** Listens on `ADMIN_PORT`, if it is set. Returns the port. */
export async function listenOnAdminPort(
  { adminServer }: FastifyInstance,
  { adminPort, host }: Settings,
): Promise<number | undefined> {
  if (!adminServer) return undefined;
  const listening = once(adminServer, 'listening');
  adminServer.listen(adminPort, host);
  await listening;
  return (adminServer.address() as AddressInfo).port;
}
