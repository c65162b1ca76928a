import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Node keeps the response whose turn it is with its connection. It documents no other way to find it. */
interface SocketOfNode extends Socket {
  _httpMessage?: ServerResponse | null;
}

/** In their order. */
const waiting = new WeakMap<Socket, Set<ServerResponse>>();

/** The last response of a connection that is not complete; undefined if there is none. */
export function lastResponseOf(socket: Socket): ServerResponse | undefined {
  const { _httpMessage: current } = socket as SocketOfNode;
  return [...(waiting.get(socket) ?? [])].at(-1) ?? current ?? undefined;
}

/**
 * Closes the responses that wait for an earlier one on their connection, when it is closed. Before version 24, Node
 * closes only the response whose turn it is, so that whoever waits for the end of another one would wait for ever.
 * https://nodejs.org/api/http.html#event-close_2
 */
export function closeWaitingResponses(server: Server): void {
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (response.socket) return;
    const responses = waiting.get(socket) ?? watch(socket);
    responses.add(response);
    response.once('close', () => responses.delete(response));
  });
}

function watch(socket: Socket): Set<ServerResponse> {
  const responses = new Set<ServerResponse>();
  waiting.set(socket, responses);
  socket.once('close', () => responses.forEach(closeUnsent));
  return responses;
}

function closeUnsent(response: ServerResponse): void {
  if (response.socket || response.destroyed) return;
  response.destroy();
  response.emit('close');
}
