import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const [BUSY_CLIENTS, NEW_CLIENTS] = [200, 300];
const REQUEST = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('clients that connect while many others send requests', () => {
  const sockets: Socket[] = [];
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ REQUESTS_PER_MINUTE_PER_ADDRESS: '0' });
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await running.close();
  });

  const open = async () => {
    const { hostname, port } = new URL(await running.app.getUrl());
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };

  it('are accepted before the others are served again and again', async () => {
    let answered = 0;
    const busy = await Promise.all(Array.from({ length: BUSY_CLIENTS }, open));
    for (const socket of busy) {
      socket.on('data', () => {
        answered += 1;
        socket.write(REQUEST);
      });
      socket.write(REQUEST);
    }
    await Promise.all(busy.map(async (socket) => once(socket, 'data')));

    const before = answered;
    let accepted = 0;
    const { server } = running.app.getHttpAdapter().getInstance();
    const allAccepted = new Promise<void>((resolve) => {
      server.on('connection', () => {
        accepted += 1;
        if (accepted === NEW_CLIENTS) resolve();
      });
    });
    await Promise.all([...Array.from({ length: NEW_CLIENTS }, open), allAccepted]);
    // one turn of the event loop for each of them would serve the busy clients that often
    expect(answered - before).toBeLessThan((NEW_CLIENTS * BUSY_CLIENTS) / 10);
  });
});
