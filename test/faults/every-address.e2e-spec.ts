import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startProxy, type Link } from '../support/proxy.js';
import { startService } from '../support/service.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const [CHANGED, REPLACED, DELETED, RESTORED] = [2, 3, 4, 5];

type Address = [request: string, status: number, options?: RequestInit];

const send = (body: object, headers = {}): RequestInit => ({
  headers: { ...JSON_TYPE, ...headers },
  body: JSON.stringify(body),
});

// Ids chosen by a request are 1000 apart: an id takes the sequence past it, so that the next
// POST without an id, sent at the same time, may get the id that follows.
const ADDRESSES: Address[] = [
  ['GET /', 200],
  ['HEAD /', 200],
  ['GET /?limit=1&order=name', 206, { headers: { Prefer: 'count=exact' } }],
  ['GET /', 304, { headers: { 'If-None-Match': '*' } }],
  ['GET /?as_of={now}', 200],
  ['GET /?q=boston', 200],
  ['GET /anniversaries?year=2027', 200],
  ['GET /stats', 200],
  ['GET /changes', 200],
  ['GET /1', 200],
  ['GET /1?as_of={now}', 200],
  ['GET /1/history', 200],
  ['POST /', 201, send(aMarathon())],
  ['POST /', 201, send(aMarathon(), { Prefer: 'return=representation' })],
  ['POST /', 201, send(aMarathon(), { Prefer: 'tx=rollback' })],
  ['POST /', 201, send([aMarathon()])],
  ['POST /', 201, send(aMarathon({ id: 1000 }))],
  ['POST /', 201, send([aMarathon({ id: 2000 }), aMarathon()])],
  ['POST /', 201, send([aMarathon()], { Prefer: 'tx=rollback, return=representation' })],
  ['PUT /3000', 201, send(aMarathon(), { 'If-None-Match': '*' })],
  [
    'POST /?on_conflict=name,city',
    201,
    send(aMarathon(), { Prefer: 'resolution=merge-duplicates' }),
  ],
  [`PATCH /${CHANGED}`, 200, send({ city: 'Boston' })],
  [`PUT /${REPLACED}`, 200, send(aMarathon({ name: 'Replaced' }))],
  [`DELETE /${DELETED}`, 204],
  [`POST /${RESTORED}/restore`, 200],
  ['PATCH /?id=eq.6', 200, send({ city: 'Paris' })],
  ['PATCH /?id=eq.6&limit=1', 200, send({ city: 'Rome' })],
  ['DELETE /?id=eq.7', 200],
];

describe('every address', () => {
  let database: TestDatabase;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeEach(async () => {
    database = await createDatabase();
    proxy = await startProxy(database.url);
  });
  afterEach(async () => {
    await proxy.close();
    await database.drop();
  });

  const statuses = (answered: number[]) =>
    Object.fromEntries(
      ADDRESSES.map(([request], place) => [`${place}: ${request}`, answered[place]]),
    );
  const EXPECTED = statuses(ADDRESSES.map(([, status]) => status));

  it('waits for a database that is not available yet', async () => {
    const settings = { DATABASE_URL: proxy.url };
    const before = await startService(settings);
    await prepare(before.url);
    await before.stop();
    proxy.refuse(true);
    const { url } = await startService(settings, {}, /Listening at (http:[^"\s]+)/);
    const answers = Promise.all(ADDRESSES.map(async (address) => ask(url, address)));
    proxy.refuse(false);
    expect(statuses(await answers)).toEqual(EXPECTED);
  });

  it.each([
    ['on its way there', 'onRequest'],
    ['on its way back', 'onAnswer'],
  ] as const)('goes again when its connection is cut %s', async (_, direction) => {
    const { url } = await startService({ DATABASE_URL: proxy.url });
    await prepare(url);
    const answered: number[] = [];
    for (const address of ADDRESSES) {
      let cuts = 0;
      proxy.breakBy({
        [direction]: ({ toService }: Link) => {
          if (cuts === 2) return true;
          cuts += 1;
          toService.resetAndDestroy();
          return false;
        },
      });
      answered.push(await ask(url, address));
      proxy.breakBy({});
    }
    expect(statuses(answered)).toEqual(EXPECTED);
  });
});

async function ask(url: string, [request, , options]: Address): Promise<number> {
  const [method, path] = request.split(' ') as [string, string];
  const address = path.replace('{now}', new Date().toISOString());
  const answer = await fetch(`${url}/marathon${address}`, { method, ...options });
  await answer.text();
  return answer.status;
}

async function prepare(url: string): Promise<void> {
  const names = ['1', '2', '3', '4', '5', '6', '7'].map((name) => aMarathon({ name }));
  expect(await ask(url, ['POST /', 201, send(names)])).toBe(201);
  expect(await ask(url, [`DELETE /${RESTORED}`, 204])).toBe(204);
}
