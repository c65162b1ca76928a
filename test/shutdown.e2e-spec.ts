import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked, whileLocked } from './support/database.js';

const REQUEST = 'GET /marathon/ HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LAST_ANSWER = /^HTTP\/1.1 200 OK[^]*\r\nconnection: close\r\n/i;

async function ask(socket: Socket): Promise<void> {
  socket.write(REQUEST);
  await once(socket, 'data');
}

async function askLast(socket: Socket): Promise<string> {
  socket.write(REQUEST);
  return text(socket);
}

describe('a service that shuts down', () => {
  let running: RunningApp;

  beforeEach(async () => {
    running = await startApp();
  });

  const open = async () => {
    const { hostname, port } = new URL(await running.app.getUrl());
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return socket;
  };
  const openMany = async () => Promise.all(Array.from({ length: 20 }, open));

  it('answers the first request of a connection that was made just before', async () => {
    const sockets = await openMany();
    // they are accepted before this answer
    await running.http.get('/health/live').expect(200);
    const closed = running.close();
    // idle connections are closed meanwhile
    await wait(200);
    for (const answer of await Promise.all(sockets.map(askLast)))
      expect(answer).toMatch(LAST_ANSWER);
    await closed;
  });

  it('answers the next request of a connection that is idle', async () => {
    const sockets = await openMany();
    await Promise.all(sockets.map(ask));
    const closed = running.close();
    for (const answer of await Promise.all(sockets.map(askLast)))
      expect(answer).toMatch(LAST_ANSWER);
    await closed;
  });

  it('says in the answers to requests in flight that it closes their connections', async () => {
    let closed: Promise<void> | undefined;
    await whileLocked(running.database, 'LOCK TABLE marathon', async (release) => {
      const answer = open().then(askLast);
      await untilBlocked(running.database, 1);
      closed = running.close();
      await release();
      expect(await answer).toMatch(LAST_ANSWER);
    });
    await closed;
  });

  it.each([0, 1])('answers two requests of one connection, and %i sent later', async (later) => {
    let closed: Promise<void> | undefined;
    await whileLocked(running.database, 'LOCK TABLE marathon', async (release) => {
      const socket = await open();
      const answers = text(socket);
      socket.write(REQUEST + REQUEST);
      await untilBlocked(running.database, 1);
      closed = running.close();
      const received = later && once(running.app.getHttpServer(), 'request');
      socket.write(REQUEST.repeat(later));
      await received;
      await release();
      expect((await answers).match(/HTTP\/1.1 200/g)).toHaveLength(2 + later);
      expect((await answers).match(/connection: close/gi)).toHaveLength(1);
    });
    await closed;
  });

  it('closes connections that clients leave idle, and Node warns of nothing', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const sockets = await openMany();
    await Promise.all(sockets.map(ask));
    const ended = Promise.all(sockets.map(async (socket) => once(socket, 'end')));
    await running.close();
    await ended;
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});
