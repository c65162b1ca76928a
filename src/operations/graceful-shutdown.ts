import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DatabaseStartup } from '../database/database-startup.js';
import { lastResponseOf } from '../http/waiting-responses.js';
import { isWorker, untilNoMoreConnections } from '../workers/this-worker.js';

/** How long a request may be on its way when the shutdown begins. */
const IDLE_TIMEOUT_MS = 100;
const ACCEPT_TIMEOUT_MS = 500;
/** A client that has just connected is about to send its request. */
const FIRST_REQUEST_TIMEOUT_MS = 1000;
/** After this time requests no longer wait for the database: they get 503. */
const DATABASE_TIMEOUT_MS = 3000;
const CONNECTIONS_TIMEOUT_MS = 4000;

/**
 * Returns a function that shuts the application down in less than five seconds: requests in flight and on
 * their way are answered, then the pool is closed, then the embedded server is stopped.
 */
export function prepareShutdown(app: NestFastifyApplication): () => Promise<void> {
  const server = app.getHttpServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async () => {
    const timers = [
      setTimeout(() => closeUnused(sockets), FIRST_REQUEST_TIMEOUT_MS),
      setTimeout(() => app.get(DatabaseStartup).abort(), DATABASE_TIMEOUT_MS),
      setTimeout(() => server.closeAllConnections(), CONNECTIONS_TIMEOUT_MS),
    ];
    try {
      await drain(server, sockets);
      await app.close();
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  };
}

/**
 * Lets clients finish with their connections, before Node closes those without a request: a client may have
 * sent the next one. The last response of each connection says that it is the last one (RFC 9112, section 9.6).
 */
async function drain(server: Server, sockets: Set<Socket>): Promise<void> {
  server.keepAliveTimeout = IDLE_TIMEOUT_MS;
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const earlier = lastResponseOf(socket);
    if (earlier && earlier !== response && !earlier.headersSent) earlier.removeHeader('connection');
    announceEnd(response);
  });
  for (const socket of sockets) announceEnd(lastResponseOf(socket));
  await wait(IDLE_TIMEOUT_MS);
  await (isWorker ? nextTurn() : acceptArrived(server));
  // a worker would close them with its port, when it has not read what arrived until then
  server.closeIdleConnections();
  await untilNoMoreConnections(ACCEPT_TIMEOUT_MS);
}

/**
 * Reads the requests that have arrived and accepts the connections, of which Node accepts one in each turn of the
 * event loop. The server would close them otherwise, and a busy process has several.
 */
async function acceptArrived(server: Server): Promise<void> {
  const endsAt = Date.now() + ACCEPT_TIMEOUT_MS;
  let isAccepting = true;
  const noteConnection = () => (isAccepting = true);
  server.on('connection', noteConnection);
  try {
    while (isAccepting && Date.now() < endsAt) {
      isAccepting = false;
      await nextTurn();
    }
  } finally {
    server.off('connection', noteConnection);
  }
}

function announceEnd(response?: ServerResponse): void {
  if (response && !response.headersSent) response.setHeader('connection', 'close');
}

/** Node does not regard a connection without a first request as idle. */
function closeUnused(sockets: Set<Socket>): void {
  for (const socket of sockets) if (!socket.bytesRead) socket.destroy();
}
