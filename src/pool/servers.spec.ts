import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Servers } from './servers.js';

let sockets: Socket[];
const server = createServer((socket) => sockets.push(socket));

beforeEach(async () => {
  sockets = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  jest.useRealTimers();
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
});

it('ends a search for the primary when it is aborted, before the servers had time to answer', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  const { port } = server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  const servers = new Servers({}, [address, address]);
  const searched = servers.search();
  while (sockets.length < 2) await once(server, 'connection');
  servers.abort(new Error('aborted'));
  await expect(searched).resolves.toBeUndefined();
});
