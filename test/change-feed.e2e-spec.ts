import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeResponse } from '../src/marathon/marathon.dto.js';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { listen } from './support/listen.js';

describe('the change feed', () => {
  let running: RunningApp;
  let url: string;
  beforeAll(async () => {
    running = await startApp();
    url = `${await running.app.getUrl()}/marathon/changes`;
  });
  afterAll(async () => running.close());

  const store = async (name: string) =>
    running.http.post('/marathon/').send(aMarathon({ name })).expect(201);
  const lastSeq = async () =>
    Number((await running.http.get('/marathon/')).headers.etag?.slice(1, -1));
  const lastQuery = async () => {
    const [query] = await running.database.query(
      `SELECT max(query_start)::text AS at FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    return query!.at;
  };

  it('sends past changes, and then new ones', async () => {
    const since = await lastSeq();
    await store('Before');
    const changes = listen(`${url}?since=${since}`);
    expect(await take(changes, 1)).toEqual(['Before']);
    await store('After');
    await store('Later');
    expect(await take(changes, 2)).toEqual(['After', 'Later']);
    await changes.return(undefined);
  });

  it('continues after Last-Event-ID', async () => {
    await store('Seen');
    const seen = String(await lastSeq());
    await store('Missed');
    const changes = listen(`${url}?since=0`, { 'Last-Event-ID': seen });
    expect(await take(changes, 1)).toEqual(['Missed']);
    await changes.return(undefined);
  });

  it('reaches many listeners', async () => {
    const since = await lastSeq();
    const listeners = Array.from({ length: 20 }, () => listen(`${url}?since=${since}`));
    const heard = listeners.map(async (changes) => take(changes, 2));
    await store('One');
    await store('Two');
    expect(await Promise.all(heard)).toEqual(heard.map(() => ['One', 'Two']));
    await Promise.all(listeners.map(async (changes) => changes.return(undefined)));
  });

  it('sends the changes of other instances', async () => {
    const since = await lastSeq();
    const changes = listen(`${url}?since=${since}`);
    const heard = take(changes, 1);
    await running.database.query(`
      WITH turn AS (UPDATE journal_head SET seq = seq + 1 RETURNING seq, at),
      request AS (INSERT INTO journal_request (request_id, first_seq, last_seq, at)
                  SELECT 'elsewhere', seq, seq, at FROM turn)
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT seq, 1000000, 1, 'create', '{"name":"Elsewhere"}' FROM turn`);
    expect(await heard).toEqual(['Elsewhere']);
    await changes.return(undefined);
  });

  it('does not query the database without listeners', async () => {
    const changes = listen(`${url}?since=${await lastSeq()}`);
    const heard = take(changes, 1);
    await store('Heard');
    await heard;
    await changes.return(undefined);
    // the absence of a query cannot be awaited: this is three times the interval of the polls
    await wait(1500);
    const last = await lastQuery();
    expect(last).not.toBeNull();
    await wait(1500);
    expect(await lastQuery()).toBe(last);
  });

  it.each([
    ['an event that never was', { 'Last-Event-ID': 'x' }],
    ['an event to come', { 'Last-Event-ID': '99999999' }],
  ])('rejects %s', async (_, headers) => {
    const answer = await fetch(url, { headers: { Accept: 'text/event-stream', ...headers } });
    expect(answer.status).toBe(400);
  });

  it('ends with the service, so that clients reconnect elsewhere', async () => {
    const other = await startApp();
    const changes = listen(`${await other.app.getUrl()}/marathon/changes?since=${await lastSeq()}`);
    const ended = changes.next();
    await other.http.get('/marathon/').expect(200);
    await other.close();
    expect(await ended).toEqual({ done: true, value: undefined });
  });

  it('is sent no faster than the client reads it', async () => {
    const since = await lastSeq();
    const rows = Array.from({ length: 60_000 }, (_, index) => `Marathon number ${index}`);
    const csv = running.http.post('/marathon/').set('Content-Type', 'text/csv');
    await csv.send(`name\n${rows.join('\n')}\n`).expect(201);
    const sockets = new Set<Socket>();
    running.app.getHttpServer().on('connection', (socket: Socket) => sockets.add(socket));
    const { hostname, port } = new URL(url);
    const slow = connect(Number(port), hostname).pause();
    slow.write(`GET /marathon/changes?since=${since} HTTP/1.1\r\nHost: localhost\r\n`);
    slow.write('Accept: text/event-stream\r\n\r\n');
    const fullest = () => Math.max(0, ...Array.from(sockets, (socket) => socket.writableLength));
    let before = -1;
    while (!fullest() || fullest() !== before) {
      before = fullest();
      // without backpressure this would still grow
      await wait(300);
    }
    await store('Still answered');
    expect(fullest()).toBeLessThan(1_000_000);
    let [heard, unread] = [0, ''];
    for await (const text of slow.setEncoding('latin1')) {
      const events = (unread + String(text)).split('\ndata: ');
      heard += events.length - 1;
      unread = events.at(-1)!;
      if (heard > 60_000) break;
    }
  });
});

async function take(
  changes: AsyncIterator<ChangeResponse>,
  count: number,
): Promise<(string | null)[]> {
  const names: (string | null)[] = [];
  while (names.length < count) names.push((await changes.next()).value.marathon.name);
  return names;
}
