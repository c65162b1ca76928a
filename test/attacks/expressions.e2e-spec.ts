import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from '../support/app.js';

const A = 'a'.repeat(100);
const nested = (depth: number) => `${'and('.repeat(depth)}id.gt.0${')'.repeat(depth)}`;

/** Expressions whose evaluation could grow exponentially, and requests for far too much. */
const EXPRESSIONS = [
  'name=match.^(a+)+$',
  'name=match.^(a|aa)+$',
  'name=match.^(a*)*b',
  'name=match.(x+x+)+y',
  String.raw`name=match.(a*)\1\1\1b`,
  'name=imatch.^(([a-z])+.)+[A-Z]([a-z])+$',
  'name=match.((((((a{0,9}){0,9}){0,9}){0,9}){0,9}){0,9})',
  `name=like.${'*a'.repeat(60)}b`,
  `name=ilike.${'*_'.repeat(60)}b`,
  `name=like(any).{${Array.from({ length: 900 }, (_, index) => `*${index}*`).join(',')}}`,
  `name=fts.${Array.from({ length: 200 }, () => '(a|b)').join('%26')}`,
  `name=wfts.${'"a" -'.repeat(100)}`,
  `id=in.(${Array.from({ length: 1000 }, (_, index) => index).join(',')})`,
  `or=(${Array.from({ length: 190 }, () => 'name.ilike.*a*b*c*').join(',')})`,
  `and=(${nested(9)})`,
  `and=(${nested(200)})`,
  `and=${'('.repeat(5000)}`,
  `select=${Array.from({ length: 50 }, (_, index) => `n${index}:count()`).join(',')}`,
  `select=name::json`,
  `order=${Array.from({ length: 500 }, () => 'name').join(',')}`,
  'offset=999999999999',
  'limit=2147483647',
  `q=${encodeURIComponent(`${A} ${A}`)}`,
  `q=${'a '.repeat(100)}`,
  `after=${'A'.repeat(5000)}`,
];

describe('an expression that could blow up', () => {
  let running: RunningApp;
  let cursor: string;
  beforeAll(async () => {
    running = await startApp({ DB_DEADLINE_MS: '4000' });
    const rows = Array.from(
      { length: 20_000 },
      (_, index) => `"${A.slice(0, 60)}${index}",${A.slice(50)}`,
    );
    await running.http
      .post('/marathon/')
      .set('Content-Type', 'text/csv')
      .send(`name,city\n${rows.join('\n')}\n`)
      .expect(201);
    const { headers } = await running.http.get('/marathon/?order=name&limit=2');
    cursor = /after=([^&>]+)/.exec(headers.link!)![1]!;
  });
  afterAll(async () => running.close());

  it.each(EXPRESSIONS)('%s is answered or refused, and delays nobody else', async (query) => {
    const url = await running.app.getUrl();
    const attack = fetch(`${url}/marathon/?${query}&format=csv`).then(async (answer) => {
      await answer.text();
      return answer.status;
    });
    const others = Array.from({ length: 20 }, async () => running.http.get('/marathon/7'));
    for (const { status } of await Promise.all(others)) expect(status).toBe(200);
    expect([200, 400, 414, 416, 503]).toContain(await attack);
  });

  it('in a filter of a bulk change changes nothing', async () => {
    for (const query of ['name=match.^(a*)*b', `name=like.${'*a'.repeat(60)}b`]) {
      const { status } = await running.http.delete(`/marathon/?${query}`);
      expect([200, 400, 503]).toContain(status);
    }
    await running.http.get('/marathon/?select=count()').expect(200, {
      marathon_list: [{ count: 20_000 }],
    });
  });

  it('is no cursor: forged and truncated ones are refused', async () => {
    const text = decodeURIComponent(cursor);
    const forged = [
      text.slice(0, -1),
      text.slice(1),
      `${text}A`,
      text.split('').toReversed().join(''),
      text.replace(/./, (first) => (first === 'A' ? 'B' : 'A')),
      Buffer.from('["a",1]').toString('base64url'),
      Buffer.from(`["'; DROP TABLE marathon; --",1]`).toString('base64url'),
      Buffer.from('{"__proto__":{"a":1}}').toString('base64url'),
      '',
      '%00',
    ];
    for (const each of forged) {
      const query = `order=name&limit=2&after=${encodeURIComponent(each)}`;
      const { status } = await running.http.get(`/marathon/?${query}`);
      expect({ each, status }).toEqual({ each, status: 400 });
    }
    await running.http.get(`/marathon/?order=city&limit=2&after=${cursor}`).expect(400);
    await running.http.get(`/marathon/?order=name&limit=2&after=${cursor}`).expect(200);
  });
});
