import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { ProbeConnections } from './probe-connections.js';
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

it('ends a search for the primary when its connections are closed', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  const { port } = server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  const probes = new ProbeConnections();
  const servers = new Servers({}, probes, [address, address]);
  const searched = servers.search();
  while (sockets.length < 2) await once(server, 'connection');
  probes.discardAll(new Error('aborted'));
  await expect(searched).resolves.toBeUndefined();
});
