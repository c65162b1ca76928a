import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { createDatabase, untilBlocked, whileLocked } from './support/database.js';
import { authorize } from './support/keys.js';
import { listen } from './support/listen.js';
import { startProxy } from './support/proxy.js';

describe('an API key', () => {
  let running: RunningApp;
  let other: RunningApp;
  let admin: Record<string, string>;
  /** The statements about keys that the service sends. */
  let keyStatements = 0;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeAll(async () => {
    running = await startApp({ ACCESS: 'closed' }, async (url) => {
      proxy = await startProxy(url);
      proxy.breakBy({
        onRequest: (_, bytes) => {
          if (bytes.includes('api_key')) keyStatements += 1;
          return true;
        },
      });
      return proxy.url;
    });
    other = await startApp({ ACCESS: 'closed' }, undefined, running.database);
    admin = (await authorize(running, 'admin', 'Admin')).header;
  });
  afterAll(async () => {
    await other.close();
    await running.close();
    await proxy.close();
  });

  const read = (headers: Record<string, string>, { http } = running) =>
    http.get('/marathon/').set(headers);
  const createKey = (body: object, headers = {}) =>
    running.http
      .post('/keys')
      .set({ ...admin, ...headers })
      .send(body);

  it('is created by an admin, and shown once', async () => {
    const { body, headers } = await createKey({ name: ' Club ', role: 'writer' }).expect(201);
    expect(body).toEqual({
      id: expect.any(Number),
      key: expect.stringMatching(/^mr_[0-9A-Za-z]{49}$/),
      name: 'Club',
      role: 'writer',
      created_by: 'Admin',
      created_at: expect.any(String),
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
    });
    expect(headers).toMatchObject({ location: `/keys/${body.id}`, 'cache-control': 'no-store' });
    await running.http.post('/marathon/').set('apikey', body.key).send(aMarathon()).expect(201);
    const { text } = await running.http.get('/keys').set(admin).expect(200);
    expect(text).toContain(`"id":${body.id}`);
    expect(text).not.toContain(body.key);
    const rows = JSON.stringify(await running.database.query('SELECT * FROM api_key'));
    expect(rows).not.toContain(body.key.slice(3, 20));
  });

  it('ends with a checksum, by which scanners recognize it', async () => {
    const { key } = await authorize(running, 'reader');
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const checksum = Array.from(key.slice(-6)).reduce(
      (sum, each) => sum * 62 + digits.indexOf(each),
      0,
    );
    expect(checksum).toBe(crc32(key.slice(3, -6)));
  });

  it.each([
    ['truncated', (key: string) => key.slice(0, -1)],
    ['prolonged', (key: string) => `${key}a`],
    [
      'with another last character',
      (key: string) => key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a'),
    ],
    ['in capitals', (key: string) => key.toUpperCase()],
    ['empty', () => ''],
    ['the hash of a key', (key: string) => key.replace('mr_', '')],
    ['a pattern', () => 'mr_%'],
    ['an array', (key: string) => `["${key}"]`],
    ['of another service', () => 'sb_publishable_ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  ])('that is %s is refused', async (_, change) => {
    const { key } = await authorize(running, 'reader');
    const { body, headers } = await read({ apikey: change(key) }).expect(401);
    expect(body.code).toBe('invalid_key');
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="marathon registry", error="invalid_token"',
    );
  });

  it('is not looked for in another scheme', async () => {
    const { key } = await authorize(running, 'reader');
    const basic = `Basic ${Buffer.from(`key:${key}`).toString('base64')}`;
    const { body } = await read({ Authorization: basic }).expect(401);
    expect(body.detail).toContain('Authorization: Bearer mr_');
    await read({ Authorization: `bearer  ${key}` }).expect(200);
    await read({ Authorization: `Bearer  ${key}` }).expect(200);
  });

  it('that is revoked is refused at once, and by other instances within a second', async () => {
    const { id, header } = await authorize(running, 'reader');
    await read(header, other).expect(200);
    await running.http.delete(`/keys/${id}`).set(admin).expect(204);
    const { body } = await read(header).expect(401);
    expect(body.detail).toContain('The API key "reader" was revoked at ');
    const revokedAt = Date.now();
    const isLate = () => Date.now() - revokedAt > 1000;
    while ((await read(header, other)).status === 200 && !isLate());
    await read(header, other).expect(401);
    await running.http.delete(`/keys/${id}`).set(admin).expect(204);
    await running.http.delete('/keys/999999').set(admin).expect(404);
  });

  it('that is revoked gets no further event', async () => {
    const { id, header } = await authorize(running, 'reader');
    const url = `${await other.app.getUrl()}/marathon/changes?since=0`;
    const changes = listen(url, header);
    await changes.next();
    await running.http.delete(`/keys/${id}`).set(admin).expect(204);
    while ((await read(header, other)).status === 200);
    const store = async () =>
      running.http
        .post('/marathon/')
        .set(admin)
        .send(aMarathon({ name: 'After' }))
        .expect(201);
    await store();
    const rest = [];
    for await (const { marathon } of changes) rest.push(marathon.name);
    expect(rest).not.toContain('After');
  });

  it('that has expired is refused', async () => {
    const soon = new Date(Date.now() + 300).toISOString();
    const { body } = await createKey({ name: 'Guest', role: 'reader', expires_at: soon });
    const headers = { apikey: body.key as string };
    await read(headers).expect(200);
    let answer = await read(headers);
    while (answer.status === 200) answer = await read(headers);
    expect(answer.body.detail).toBe(
      `The API key "Guest" expired at ${soon}. Ask the administrator of the service for another one.`,
    );
  });

  it('is checked without a query for each request', async () => {
    const { header } = await authorize(running, 'reader');
    await read(header).expect(200);
    keyStatements = 0;
    const startedAt = Date.now();
    for (let count = 0; count < 200; count += 1) await read(header).expect(200);
    const refreshes = (Date.now() - startedAt) / 400;
    expect(keyStatements).toBeLessThanOrEqual(refreshes + 2);
  });

  it('has the time of its last use, to the minute', async () => {
    const { id, header } = await authorize(running, 'reader');
    const before = Math.floor(Date.now() / 60_000) * 60_000;
    await read(header).expect(200);
    const { body } = await running.http.get('/keys').set(admin).expect(200);
    const { last_used_at } = body.keys.find((each: { id: number }) => each.id === id);
    expect([before, before + 60_000]).toContain(Date.parse(last_used_at));
  });

  it('is the author of what it writes', async () => {
    const { header } = await authorize(running, 'writer', 'Zürich Club');
    const post = () => running.http.post('/marathon/').set(header);
    const { body } = await post().send(aMarathon()).expect(201);
    const path = `/marathon/${body.id}`;
    await running.http.patch(path).set(header).send({ city: 'Rome' }).expect(200);
    await running.http
      .put(path)
      .set(admin)
      .send(aMarathon({ name: 'Put' }))
      .expect(200);
    await running.http.delete(path).set(header).expect(204);
    await running.http.post(`${path}/restore`).set(admin).expect(200);
    await running.http.patch(`/marathon/?id=eq.${body.id}`).set(header).send({ city: 'Oslo' });
    const { body: past } = await running.http.get(`${path}/history`).set(admin).expect(200);
    const authors = past.history.map(({ by }: { by: string }) => by);
    const club = 'Zürich Club';
    expect(authors).toEqual([club, 'Admin', club, 'Admin', club, club]);
    await post()
      .send([aMarathon({ name: 'Imported' })])
      .expect(201);
    await post()
      .send(aMarathon({ id: 5000 }))
      .expect(201);
    const [requests] = await running.database.query(
      `SELECT count(*)::integer FROM journal_request WHERE by = '${club}'`,
    );
    expect(requests).toEqual({ count: 6 });
  });

  it('has Idempotency-Keys of its own', async () => {
    const [first, second] = [
      (await authorize(running, 'writer', 'First')).header,
      (await authorize(running, 'writer', 'Second')).header,
    ];
    const post = async (headers: object, name: string) =>
      running.http
        .post('/marathon/')
        .set({ ...headers, 'Idempotency-Key': 'same' })
        .send(aMarathon({ name }))
        .expect(201);
    const { body: one } = await post(first, 'A');
    const { body: two } = await post(second, 'B');
    expect(two.id).not.toBe(one.id);
    expect((await post(first, 'A')).body).toEqual(one);
  });

  it('is created once for a repeated Idempotency-Key', async () => {
    const [details, headers] = [{ name: 'Once', role: 'reader' }, { 'Idempotency-Key': 'once' }];
    const { body: created } = await createKey(details, headers).expect(201);
    const { body } = await createKey(details, headers).expect(409);
    expect(body.detail).toContain(`created the key ${created.id}`);
  });

  it.each([
    [{}, '#/name is required; #/role must be one of reader, writer, admin'],
    [{ name: ' ', role: 'reader' }, '#/name must not be blank'],
    [{ name: 'A', role: 'owner' }, '#/role must be one of reader, writer, admin'],
    [
      { name: 'A', role: 'reader', expires_at: '2020-01-01T00:00:00Z' },
      '#/expires_at must be in the future',
    ],
    [{ name: 'A', role: 'reader', expires_at: 'soon' }, '#/expires_at must be a time such as'],
    [{ name: 'A', role: 'reader', expires: '90d' }, '#/expires is not known'],
  ])('is not created from %j', async (body, issues) => {
    const answer = await createKey(body).expect(400);
    const found = answer.body.errors.map(
      ({ pointer, detail }: { pointer: string; detail: string }) => `${pointer} ${detail}`,
    );
    expect(found.join('; ')).toContain(issues);
  });

  it('is not created by a dry run', async () => {
    await createKey({ name: 'Dry', role: 'reader' }, { Prefer: 'tx=rollback' }).expect(400);
    const { text } = await running.http.get('/keys').set(admin);
    expect(text).not.toContain('"Dry"');
  });
});

describe('while the database is away', () => {
  it('a request with a key waits for it until the deadline', async () => {
    const database = await createDatabase();
    const proxy = await startProxy(database.url);
    const settings = { ACCESS: 'closed', DB_DEADLINE_MS: '600' };
    const running = await startApp(settings, async () => proxy.url, database);
    try {
      const { header } = await authorize(running, 'reader');
      proxy.refuse(true);
      const refused = () => running.http.get('/marathon/').set(header);
      let answer = await refused();
      while (answer.status === 200) answer = await refused();
      expect(answer.body.code).toBe('database_unavailable');
      proxy.refuse(false);
      await refused().expect(200);
    } finally {
      await running.close();
      await proxy.close();
      await database.drop();
    }
  });
});

describe('a request whose key is fetched first', () => {
  let running: RunningApp;
  let header: Record<string, string>;
  let fresh: RunningApp;
  let url: string;
  beforeAll(async () => {
    running = await startApp({ ACCESS: 'keys' });
    ({ header } = await authorize(running, 'writer'));
  });
  afterEach(async () => fresh.close());
  afterAll(async () => running.close());

  /** Starts an instance that does not have the keys yet. */
  const startFresh = async (DB_DEADLINE_MS: string) => {
    const settings = { ACCESS: 'keys', DB_DEADLINE_MS };
    fresh = await startApp(settings, undefined, running.database);
    url = `${await fresh.app.getUrl()}/marathon/`;
  };
  /** Sends the headers of a creation. The body is sent later. */
  const beginCreation = () => {
    const headers = { ...header, 'Content-Type': 'application/json', Prefer: 'server-timing' };
    const creation = request(url, { method: 'POST', headers });
    creation.write(' ');
    return creation;
  };
  /** Sends a request whose key is fetched for so long that this is a part of its deadline. */
  const whileKeysAreLocked = async (send: () => void) =>
    whileLocked(running.database, 'LOCK TABLE api_key', async () => {
      send();
      await untilBlocked(running.database, 1);
      await wait(200);
    });
  const body = JSON.stringify(aMarathon());

  it('has no more time left than another one', async () => {
    await startFresh('2000');
    await whileLocked(running.database, 'LOCK TABLE marathon', async () =>
      whileLocked(running.database, 'LOCK TABLE api_key', async (release) => {
        const creation = beginCreation();
        const answers = [
          fresh.http.get('/marathon/').then(({ status }) => status),
          fresh.http
            .get('/marathon/')
            .set(header)
            .then(({ status }) => status),
          once(creation, 'response').then(([{ statusCode }]) => statusCode),
        ].map(async (status) => {
          expect(await status).toBe(503);
          return Date.now();
        });
        await wait(1000);
        await release();
        // the body arrives when the key was checked
        await wait(200);
        creation.end(body);
        const [plain, ...withKey] = await Promise.all(answers);
        for (const at of withKey) expect(at - plain!).toBeLessThan(500);
      }),
    );
  });

  it('may have a body that takes longer than the deadline', async () => {
    await startFresh('500');
    let creation: ClientRequest | undefined;
    await whileKeysAreLocked(() => (creation = beginCreation()));
    await wait(1000);
    creation!.end(body);
    const [{ statusCode, headers }] = await once(creation!, 'response');
    expect(statusCode).toBe(201);
    expect(headers['server-timing']).toMatch(/^total;dur=\d+/);
  });

  it('is told that its media type is not supported', async () => {
    await startFresh('2000');
    let status: Promise<number> | undefined;
    await whileKeysAreLocked(() => {
      const post = fresh.http.post('/marathon/').set(header).type('text/plain');
      status = post.send('Boston').then((answer) => answer.status);
    });
    expect(await status).toBe(415);
  });

  it('may listen for longer than the deadline', async () => {
    await startFresh('500');
    const store = async (name: string) =>
      running.http.post('/marathon/').set(header).send(aMarathon({ name })).expect(201);
    const changes = listen(`${url}changes?since=0`, header);
    const untilChange = async (name: string) => {
      for (;;) {
        const { value } = await changes.next();
        if (!value) throw new Error('The stream ended.');
        if (value.marathon.name === name) return;
      }
    };
    await store('First');
    let listening: Promise<void> | undefined;
    await whileKeysAreLocked(() => (listening = untilChange('First')));
    await listening;
    await wait(1000);
    await store('Second');
    await untilChange('Second');
    await changes.return(undefined);
  });
});

describe('while access is open', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  it('keys cannot be managed over HTTP', async () => {
    await running.http.get('/keys').expect(403);
    const details = { name: 'Later', role: 'admin' };
    const { body } = await running.http.post('/keys').send(details).expect(403);
    expect(body.code).toBe('access_is_open');
    expect(await running.database.query('SELECT 1 FROM api_key')).toEqual([]);
  });

  it('a key that is sent is ignored', async () => {
    await running.http.get('/marathon/').set('apikey', 'anything').expect(200);
  });
});

describe('with ACCESS=keys on loopback', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp({ ACCESS: 'keys' })));
  afterAll(async () => running.close());

  it('requests to any host are answered, as behind a proxy', async () => {
    await running.http.get('/marathon/').set('Host', 'marathons.example').expect(200);
  });

  it('an invalid key is refused although none is needed', async () => {
    await running.http.get('/marathon/').set('apikey', 'mr_nothing').expect(401);
  });
});
