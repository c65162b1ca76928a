import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DatabaseStartup } from '../database/database-startup.js';

const SWEEP_INTERVAL_MS = 50;
/** After this time requests no longer wait for the database: they get 503. */
const DATABASE_TIMEOUT_MS = 3000;
const CONNECTIONS_TIMEOUT_MS = 4000;

/**
 * Returns a function that shuts the application down in less than five seconds: requests in flight are
 * answered, then the pool is closed, then the embedded server is stopped.
 */
export function prepareShutdown(app: NestFastifyApplication): () => Promise<void> {
  const server = app.getHttpServer();
  const unused = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    unused.add(socket);
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
 * Closes connections without a request. A connection that was busy when the shutdown began stays open after
 * its response, and Node does not regard a connection without a first request as idle.
 */
function closeIdle(server: Server, unused: Set<Socket>): void {
  server.closeIdleConnections();
  for (const socket of unused) if (!socket.bytesRead) socket.destroy();
}
