import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeView, MarathonView } from '../src/marathon/marathon.dto.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { listen } from './support/listen.js';
import { startService } from './support/service.js';

/** JOURNAL_SECONDS=60 makes it the minute that the promise was first shown with. */
const SECONDS = Number(process.env.JOURNAL_SECONDS ?? 6);
const CLIENTS = 32;

type Acknowledged = { id: number; version: number; marathon?: MarathonView };
type Service = Awaited<ReturnType<typeof startService>>;

describe('the journal, while 32 clients write at random through two instances', () => {
  let database: TestDatabase;
  let services: Service[];
  let heard: ChangeView[];
  let journal: ChangeView[];
  let table: MarathonView[];
  const acknowledged: Acknowledged[] = [];

  beforeAll(
    async () => {
      database = await createDatabase();
      services = await Promise.all(
        [0, 1].map(async () => startService({ DATABASE_URL: database.url })),
      );
      const changes = listen(`${services[0]!.url}/marathon/changes?since=0`);
      const hearing = hear(changes);
      const clients = Array.from({ length: CLIENTS }, async (_, client) =>
        write(services[client % 2]!.url, acknowledged),
      );
      await Promise.all(clients);
      table = (await read('id, name, city, inception_year FROM marathon ORDER BY id')) as never;
      journal = await readJournal();
      await post(services[1]!.url, '', { name: 'The last one' });
      heard = (await hearing).slice(0, -1);
      await changes.return(undefined);
      await Promise.all(services.map(async ({ stop }) => stop()));
    },
    SECONDS * 1000 + 60_000,
  );
  afterAll(async () => database.drop());

  const read = async (what: string) => database.query(`SELECT ${what}`);
  const readJournal = async () => {
    const rows = await read(
      `seq::integer, operation, version, at,
       json_build_object('id', record_id, 'name', record->'name', 'city', record->'city',
                         'inception_year', record->'inception_year') AS marathon
       FROM journal JOIN journal_request ON seq BETWEEN first_seq AND last_seq ORDER BY seq`,
    );
    return rows as unknown as ChangeView[];
  };

  it('is long enough to mean something', () => {
    expect(journal.length).toBeGreaterThan(100);
    expect(new Set(journal.map(({ operation }) => operation))).toEqual(
      new Set(['create', 'update', 'delete', 'restore']),
    );
  });

  it('counts its changes without a gap, and its clock never runs backwards', () => {
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1));
    const times = journal.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('gives exactly the table when it is replayed', () => {
    expect(replay(journal)).toEqual(table);
  });

  it('holds each acknowledged write, once and as it was acknowledged', () => {
    const byVersion = new Map(
      journal.map((entry) => [`${entry.marathon.id}/${entry.version}`, entry]),
    );
    expect(byVersion.size).toBe(journal.length);
    for (const { id, version, marathon } of acknowledged) {
      const entry = byVersion.get(`${id}/${version}`);
      expect(entry).toBeDefined();
      if (marathon) expect(entry!.marathon).toEqual(marathon);
    }
    const names = journal.filter(({ operation }) => operation === 'create');
    expect(new Set(names.map(({ marathon }) => marathon.name)).size).toBe(names.length);
  });

  it('is heard by who follows it: each change once, in order, none missing', () => {
    expect(heard.map(({ seq }) => seq)).toEqual(journal.map(({ seq }) => seq));
    expect(replay(heard)).toEqual(table);
  });
});

async function hear(changes: AsyncIterable<ChangeView>): Promise<ChangeView[]> {
  const heard: ChangeView[] = [];
  for await (const next of changes) {
    heard.push(next);
    if (next.marathon.name === 'The last one') break;
  }
  return heard;
}

function replay(changes: ChangeView[]): MarathonView[] {
  const marathons = new Map<number, MarathonView>();
  for (const { operation, marathon } of changes) {
    if (operation === 'delete') marathons.delete(marathon.id);
    else marathons.set(marathon.id, marathon);
  }
  return [...marathons.values()].toSorted((a, b) => a.id - b.id);
}

/** Writes at random until the time is over, and keeps what was acknowledged. */
async function write(url: string, acknowledged: Acknowledged[]): Promise<void> {
  const stopAt = Date.now() + SECONDS * 1000;
  while (Date.now() < stopAt) {
    const known = acknowledged.at(-randomInt(1, 1 + Math.min(100, acknowledged.length + 1)))?.id;
    const kind = known === undefined ? 0 : randomInt(6);
    if (kind < 2) await createMaybeTwice(url, acknowledged);
    else await change(url, known!, kind, acknowledged);
  }
}

async function createMaybeTwice(url: string, acknowledged: Acknowledged[]): Promise<void> {
  const key = { 'Idempotency-Key': `"${randomUUID()}"` };
  const body = { name: randomUUID(), city: null, inception_year: randomInt(1, 10_000) };
  const times = Array.from({ length: randomInt(1, 3) }, async () => post(url, '', body, key));
  for (const answer of await Promise.all(times)) {
    const { id } = (await answer.json()) as { id: number };
    acknowledged.push({ id, version: 1, marathon: { id, ...body } });
  }
}

async function change(url: string, id: number, kind: number, acknowledged: Acknowledged[]) {
  const [path, method, body] = [
    [`${id}`, 'DELETE'],
    [`${id}/restore`, 'POST'],
    [`${id}`, 'PATCH', { inception_year: randomInt(1, 10_000) }],
    [`${id}`, 'PUT', { name: randomUUID(), city: randomUUID().slice(0, 8) }],
  ][kind - 2] as [string, string, object | undefined];
  const answer = await send(url, path, method, body);
  const text = await answer.text();
  if (answer.status === 404 || answer.status === 409) return;
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  const version = Number(answer.headers.get('etag')?.slice(1, -1));
  if (body) expect(JSON.parse(text)).toMatchObject(body);
  if (version) acknowledged.push({ id, version, marathon: JSON.parse(text) as MarathonView });
}

async function post(url: string, path: string, body?: object, headers?: Record<string, string>) {
  return send(url, path, 'POST', body, headers);
}

async function send(
  url: string,
  path: string,
  method: string,
  body?: object,
  headers?: Record<string, string>,
): Promise<Response> {
  const type: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
  const answer = await fetch(`${url}/marathon/${path}`, {
    method,
    headers: { ...type, ...headers },
    body: body && JSON.stringify(body),
  });
  return answer;
}
