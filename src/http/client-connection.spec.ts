import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { FastifyReply } from 'fastify';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ClientDisconnectedError } from '../problems/client-disconnected-error.js';
import { ClientConnection } from './client-connection.js';

let server: ReturnType<typeof createServer>;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function receiveRequest() {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [, raw] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  return { client, raw, connection: new ClientConnection({ raw } as unknown as FastifyReply) };
}

it('reports a client that has left already', async () => {
  const { client, raw, connection } = await receiveRequest();
  const closed = once(raw, 'close');
  client.destroy();
  await closed;
  const reason = new Promise((resolve) => connection.onDisconnect(resolve));
  expect(await reason).toBeInstanceOf(ClientDisconnectedError);
});

it('reports a client that leaves later', async () => {
  const { client, connection } = await receiveRequest();
  const reason = new Promise((resolve) => connection.onDisconnect(resolve));
  client.destroy();
  expect(await reason).toBeInstanceOf(ClientDisconnectedError);
});

it('reports no client whose response is complete', async () => {
  const { raw, connection } = await receiveRequest();
  const reasons: Error[] = [];
  const closed = once(raw, 'close');
  connection.onDisconnect((reason) => reasons.push(reason));
  raw.end();
  await closed;
  connection.onDisconnect((reason) => reasons.push(reason));
  expect(reasons).toEqual([]);
});
