import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Closes the responses that wait for an earlier one on their connection, when it is closed. Before version 24, Node
 * closes only the response whose turn it is, so that whoever waits for the end of another one would wait for ever.
 * https://nodejs.org/api/http.html#event-close_2
 */
export function closeWaitingResponses(server: Server): void {
  const waiting = new WeakMap<Socket, Set<ServerResponse>>();
  const watch = (socket: Socket) => {
    const responses = new Set<ServerResponse>();
    waiting.set(socket, responses);
    socket.once('close', () => responses.forEach(closeUnsent));
    return responses;
  };
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (response.socket) return;
    const responses = waiting.get(socket) ?? watch(socket);
    responses.add(response);
    response.once('close', () => responses.delete(response));
  });
}

function closeUnsent(response: ServerResponse): void {
  if (response.socket || response.destroyed) return;
  response.destroy();
  response.emit('close');
}
