import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

/** Larger than all buffers between PostgreSQL and a client. */
const COUNT = 300_000;
const LISTS = /^COPY \(/;

describe('a long list', () => {
  let running: RunningApp;
  let url: string;
  beforeAll(async () => {
    running = await startApp();
    url = await running.app.getUrl();
    const rows = Array.from({ length: COUNT }, (_, index) => `Marathon number ${index},City,1970`);
    const csv = running.http.post('/marathon/').set('Content-Type', 'text/csv');
    await csv.send(`name,city,inception_year\n${rows.join('\n')}\n`).expect(201);
  });
  afterAll(async () => running.close());

  /** Requests it with a client that reads only when it is resumed. */
  const ask = (query: string) => request(`${url}/marathon/?${query}`).on('error', () => undefined);
  const untilLists = async (count: number) => {
    const sql = `SELECT query FROM pg_stat_activity
                   WHERE datname = current_database() AND state = 'active' AND leader_pid IS NULL`;
    for (;;) {
      const queries = await running.database.query(sql);
      if (queries.filter(({ query }) => LISTS.test(String(query))).length === count) return;
    }
  };

  it.each(['json', 'array', 'csv', 'ndjson'])('is complete as %s', async (format) => {
    const text = await (await fetch(`${url}/marathon/?format=${format}`)).text();
    const rows = {
      json: () => JSON.parse(text).marathon_list,
      array: () => JSON.parse(text),
      csv: () => text.trimEnd().split('\n').slice(1),
      ndjson: () =>
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
    }[format]!();
    expect(rows).toHaveLength(COUNT);
  });

  it('is read no faster than its client takes it, and is complete', async () => {
    const sockets = new Set<Socket>();
    running.app.getHttpServer().on('connection', (socket: Socket) => sockets.add(socket));
    const [slow] = (await once(ask('format=ndjson').end(), 'response')) as [IncomingMessage];
    await untilLists(1);
    const fullest = () => Math.max(0, ...Array.from(sockets, (socket) => socket.writableLength));
    for (let before = -1; before !== fullest() || !before;) {
      before = fullest();
      // without backpressure this would still grow
      await wait(300);
    }
    expect(fullest()).toBeLessThan(3_000_000);
    let text = '';
    for await (const bytes of slow) text += String(bytes);
    expect(text.match(/"id":/g)).toHaveLength(COUNT);
    await untilLists(0);
  });

  it('is cancelled when its client disconnects', async () => {
    const leaving = ask('format=ndjson').end();
    await untilLists(1);
    leaving.destroy();
    await untilLists(0);
  });

  it('is cancelled when its client disconnects while it waits for an earlier response', async () => {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /marathon/?format=ndjson HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(2));
    await untilLists(2);
    socket.destroy();
    await untilLists(0);
  });
});
