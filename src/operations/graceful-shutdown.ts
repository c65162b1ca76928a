import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DatabaseStartup } from '../database/database-startup.js';

const SWEEP_INTERVAL_MS = 50;
/** A client that has just connected is about to send its request. */
const FIRST_REQUEST_TIMEOUT_MS = 1000;
/** After this time requests no longer wait for the database: they get 503. */
const DATABASE_TIMEOUT_MS = 3000;
const CONNECTIONS_TIMEOUT_MS = 4000;

/**
 * Returns a function that shuts the application down in less than five seconds: requests in flight are
 * answered, then the pool is closed, then the embedded server is stopped.
 */
export function prepareShutdown(app: NestFastifyApplication): () => Promise<void> {
  const server = app.getHttpServer();
  const unused = new Map<Socket, number>();
  server.on('connection', (socket: Socket) => {
    unused.set(socket, performance.now());
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => unused.delete(socket));
  return async () => {
    const timers = [
      setInterval(() => closeIdle(server, unused), SWEEP_INTERVAL_MS),
      setTimeout(() => app.get(DatabaseStartup).abort(), DATABASE_TIMEOUT_MS),
      setTimeout(() => server.closeAllConnections(), CONNECTIONS_TIMEOUT_MS),
    ];
    try {
      await app.close();
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  };
}

/**
 * Closes connections without a request, unless they are new. A connection that was busy when the shutdown
 * began stays open after its response, and Node does not regard a connection without a first request as idle.
 */
function closeIdle(server: Server, unused: Map<Socket, number>): void {
  server.closeIdleConnections();
  const latest = performance.now() - FIRST_REQUEST_TIMEOUT_MS;
  for (const [socket, connectedAt] of unused)
    if (!socket.bytesRead && connectedAt < latest) socket.destroy();
}
