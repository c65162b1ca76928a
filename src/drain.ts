import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DatabaseOpening } from './database/opening.js';

const SWEEP_INTERVAL_MS = 50;
/** From then on nobody waits for the database: what is not answered yet is answered with 503. */
const DATABASE_TIMEOUT_MS = 3000;
const CONNECTIONS_TIMEOUT_MS = 4000;

/**
 * Returns what ends the application, in less than five seconds: requests in flight are answered, then
 * the pool closes, then the embedded server.
 */
export function makeDrain(app: NestFastifyApplication): () => Promise<void> {
  const server = app.getHttpServer();
  const unused = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => unused.delete(socket));
  return async () => {
    const timers = [
      setInterval(() => closeQuiet(server, unused), SWEEP_INTERVAL_MS),
      setTimeout(() => app.get(DatabaseOpening).abort(), DATABASE_TIMEOUT_MS),
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
 * A connection that was busy when the end was called stays open after its answer unless it is closed,
 * and Node does not call one idle that a client opened and has not used yet.
 */
function closeQuiet(server: Server, unused: Set<Socket>): void {
  server.closeIdleConnections();
  for (const socket of unused) if (!socket.bytesRead) socket.destroy();
}
