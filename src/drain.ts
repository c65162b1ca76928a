import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const SWEEP_MS = 50;
const DRAIN_LIMIT_MS = 10_000;

/**
 * Returns what ends the application: requests in flight are answered, for ten seconds at most, then
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
    const sweep = setInterval(() => closeQuiet(server, unused), SWEEP_MS);
    const impatience = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS);
    try {
      await app.close();
    } finally {
      clearInterval(sweep);
      clearTimeout(impatience);
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
