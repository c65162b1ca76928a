import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { Limits } from '../config/settings.js';
import { endWithProblem } from './client-errors.js';

const log = new Logger('Connections');
const LOG_INTERVAL_MS = 60_000;

/** Limits the connections of all clients, and those of one address. 0 connections of an address are no limit. */
export function limitConnections(
  server: Server,
  { connections, connectionsPerAddress }: Limits,
): void {
  const report = reporter();
  server.maxConnections = connections;
  server.on('drop', () => report(`More than ${connections} connections (MAX_CONNECTIONS)`));
  if (!connectionsPerAddress) return;
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket;
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    socket.once('close', () => {
      const rest = counts.get(address)! - 1;
      if (rest) counts.set(address, rest);
      else counts.delete(address);
    });
    if (count <= connectionsPerAddress) return;
    report(`More than ${connectionsPerAddress} connections of ${address}`);
    endWithProblem(socket, {
      code: 'too_many_connections',
      detail: `There are ${connectionsPerAddress} connections from your address, the limit. Close some of them.`,
    });
  });
}

/** Logs that connections were rejected, once a minute. */
function reporter(): (message: string) => void {
  let nextAt = 0;
  return (message) => {
    if (Date.now() < nextAt) return;
    nextAt = Date.now() + LOG_INTERVAL_MS;
    log.warn(`${message}: further ones are rejected`);
  };
}
