import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { startApp, type RunningApp } from '../support/app.js';

/** Larger than all buffers between PostgreSQL and a client. */
const COUNT = 300_000;
const [READERS, LISTENERS] = [14, 500];
/** How many requests may wait for a long list. */
const QUEUE_LENGTH = 1000;

describe('clients that read nothing', () => {
  let running: RunningApp;
  let url: URL;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    running = await startApp({ DB_DEADLINE_MS: '6000' });
    url = new URL(await running.app.getUrl());
    const rows = Array.from({ length: COUNT }, (_, index) => `Marathon number ${index},City,1970`);
    const csv = running.http.post('/marathon/').set('Content-Type', 'text/csv');
    await csv.send(`name,city,inception_year\n${rows.join('\n')}\n`).expect(201);
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(async () => running.close());

  const untilLists = async (count: number) => {
    const lists = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                   AND query LIKE 'COPY (%' AND state = 'active' AND leader_pid IS NULL`;
    while ((await running.database.query(lists)).length !== count);
  };
  const countAborted = async () => {
    const { text } = await running.http.get('/metrics').expect(200);
    return Number(/^http_requests_aborted_total (\d+)/m.exec(text)?.[1]);
  };
  const expectShortRequestsAnswered = async () => {
    const { body } = await running.http.post('/marathon/').send(aMarathon()).expect(201);
    await running.http.patch(`/marathon/${body.id}`).send({ city: 'Paris' }).expect(200);
    await running.http.get(`/marathon/${body.id}`).expect(200);
    await running.http.get('/marathon/?limit=20').expect(200);
    await running.http.get(`/marathon/${body.id}/history`).expect(200);
  };

  it('20: of long lists leave connections to short requests; further long lists get 503', async () => {
    // a client that reads, so that the service knows that the list is long
    await (await fetch(`${url.origin}/marathon/`)).arrayBuffer();
    const refused: (number | undefined)[] = [];
    const readers = Array.from({ length: READERS }, () => {
      const reader = request(`${url.origin}/marathon/`).on('error', () => undefined);
      reader.on('response', ({ statusCode, headers }) => {
        if (statusCode !== 200) refused.push(statusCode && Number(headers['retry-after']));
      });
      reader.on('socket', (socket) => sockets.push(socket));
      return reader.end();
    });
    await untilLists(3);
    await expectShortRequestsAnswered();
    expect(refused).toEqual([]);
    while (refused.length < READERS - 3) await once(readers.at(-1)!, 'response');
    expect(refused).toEqual(Array.from({ length: READERS - 3 }, () => expect.any(Number)));
    for (const reader of readers) reader.destroy();
    await untilLists(0);
  });

  it('20: that wait for a long list and leave give up their place in the queue', async () => {
    await (await fetch(`${url.origin}/marathon/`)).arrayBuffer();
    const open = (count: number) => {
      const socket = connect(Number(url.port), url.hostname).on('error', () => undefined);
      socket.write('GET /marathon/ HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(count));
      sockets.push(socket);
      return socket;
    };
    const [first] = [open(1), open(1), open(1)];
    await untilLists(3);
    const before = await countAborted();
    const waiting = open(QUEUE_LENGTH);
    // the service reads the requests of a connection at once
    await expectShortRequestsAnswered();
    expect((await fetch(`${url.origin}/marathon/`)).status).toBe(503);
    waiting.destroy();
    while ((await countAborted()) < before + QUEUE_LENGTH);
    const further = fetch(`${url.origin}/marathon/`);
    await expectShortRequestsAnswered();
    first.destroy();
    const { status, body } = await further;
    await body!.cancel();
    expect(status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await untilLists(0);
  });

  it('21: of a backlog of changes delay no other requests', async () => {
    const head = `GET /marathon/changes?since=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;
    const listeners = Array.from({ length: LISTENERS }, () => {
      const socket = connect(Number(url.port), url.hostname).on('error', () => undefined);
      socket.write(head);
      sockets.push(socket);
      return once(socket, 'readable');
    });
    await Promise.all(listeners);
    await expectShortRequestsAnswered();
  });
});
