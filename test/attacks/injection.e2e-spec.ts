import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { startApp, type RunningApp } from '../support/app.js';
import { authorize, NO_REQUEST_LIMITS } from '../support/keys.js';

/** Texts that end a literal, a comment, a statement, a format or a line where they are not escaped. */
const TEXTS = [
  `'; DROP TABLE marathon; --`,
  `' OR '1'='1`,
  `\\'; DELETE FROM journal; --`,
  `$$; SELECT pg_sleep(30); $$`,
  `1); TRUNCATE api_key; --`,
  `"; DROP TABLE marathon; --`,
  `%' OR name LIKE '%`,
  `E'\\x27'`,
  `\u02bc OR 1=1`,
  `\${process.env.DATABASE_URL}`,
  `{{constructor.constructor('return process')()}}`,
  `$1 $2 $3`,
  `\r\nSet-Cookie: admin=1`,
  `"\r\n2,Forged,Row`,
];

const COLUMNS = ['id', 'name', 'city', 'inception_year'];
const OTHERS = 'select order limit offset after having q and or as_of format'.split(' ');
const PARAMETERS = [...COLUMNS, ...OTHERS];
const HEADERS = (
  'Accept Prefer Range If-None-Match If-Match Idempotency-Key Last-Event-ID Content-Type ' +
  'Authorization apikey X-Request-Id Accept-Encoding Origin'
).split(' ');

describe('injection', () => {
  let running: RunningApp;
  let admin: Record<string, string>;
  beforeAll(async () => {
    running = await startApp({
      ACCESS: 'keys',
      TRUST_PROXY: '1',
      CORS_ORIGINS: 'https://club.example',
      ...NO_REQUEST_LIMITS,
    });
    admin = (await authorize(running, 'admin')).header;
    const rows = [aMarathon({ name: 'First' }), aMarathon({ name: 'Second' })];
    await running.http.post('/marathon/').set(admin).send(rows).expect(201);
  });
  afterAll(async () => running.close());
  afterEach(async () => {
    const [counts] = await running.database.query(
      `SELECT (SELECT count(*) FROM marathon WHERE id <= 2)::integer AS marathons,
              (SELECT count(*) FROM api_key)::integer AS keys,
              (SELECT min(seq) FROM journal)::integer AS first`,
    );
    expect(counts).toEqual({ marathons: 2, keys: 1, first: 1 });
  });

  describe.each(TEXTS)('%j', (text) => {
    it.each(PARAMETERS)('in the parameter %s selects nothing more', async (name) => {
      const values = [text, `eq.${text}`, `in.(${text})`, `(id.eq.${text})`, `id.${text}`];
      for (const value of values) {
        const query = new URLSearchParams([[name, value]]).toString();
        const { status, body } = await running.http.get(`/marathon/?${query}`);
        expect([200, 400, 414]).toContain(status);
        if (COLUMNS.includes(name) && status === 200) expect(body.marathon_list).toEqual([]);
      }
    });

    it.each(HEADERS)('in the header %s changes nothing else', async (name) => {
      // Node refuses to send line ends; a raw socket sends them in `smuggling.e2e-spec.ts`
      const value = text.replaceAll(/[^\t\x20-\x7e]/g, ' ');
      const { status, headers } = await running.http.get('/marathon/').set({ [name]: value });
      expect([200, 304, 400, 401, 406, 415, 416]).toContain(status);
      expect(headers).not.toHaveProperty('set-cookie');
    });

    it('in a cell is text', async () => {
      const sent = text.trim().slice(0, 50);
      const { body } = await running.http
        .post('/marathon/')
        .set({ ...admin, Prefer: 'return=representation' })
        .send(aMarathon({ name: sent, city: sent }))
        .expect(201);
      const [stored] = body.marathon_list;
      expect(stored).toMatchObject({ name: sent, city: sent });
      const { text: csv, headers } = await running.http.get(
        `/marathon/?id=eq.${stored.id}&format=csv`,
      );
      expect(headers).not.toHaveProperty('set-cookie');
      await running.http
        .post('/marathon/')
        .set({ ...admin, 'Content-Type': 'text/csv', Prefer: 'tx=rollback, return=representation' })
        .send(csv.replace(/^\d+,/m, ','))
        .expect(201)
        .expect(({ text: answer }) => {
          expect(JSON.parse(answer).marathon_list[0]).toMatchObject({ name: sent, city: sent });
        });
    });

    it('in an address and in a name of a key does nothing', async () => {
      const path = `/marathon/${encodeURIComponent(text)}`;
      await running.http.get(path).expect(400);
      await running.http.delete(path).set(admin).expect(400);
      const { body } = await running.http
        .post('/keys')
        .set(admin)
        .send({ name: text, role: 'reader' })
        .expect(201);
      expect(body.name).toBe(text.trim());
      await running.database.query(`DELETE FROM api_key WHERE id = ${body.id}`);
    });
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'of %s does not reach a prototype',
    async (name) => {
      const sent = [
        `{"name":"A","${name}":{"polluted":true}}`,
        `[{"name":"A","${name}":{"polluted":true}}]`,
        `{"${name}":{"polluted":true}}`,
      ];
      for (const body of sent) {
        const headers = { ...admin, 'Content-Type': 'application/json' };
        await running.http.post('/marathon/').set(headers).send(body).expect(400);
        await running.http.patch('/marathon/1').set(headers).send(body).expect(400);
      }
      const queries = [`${name}=1`, `${name}[polluted]=true`, `select=${name}`, `order=${name}`];
      for (const query of queries) await running.http.get(`/marathon/?${query}`).expect(400);
      await running.http
        .post('/marathon/')
        .set({ ...admin, 'Content-Type': 'text/csv' })
        .send(`name,${name}\nA,1\n`)
        .expect(400);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );
});
