import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MarathonResponse } from '../src/marathon/marathon.dto.js';
import type { Response } from 'supertest';
import { startApp, type RunningApp } from './support/app.js';
import { store } from './support/store.js';

const MARATHONS = [
  { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 },
  { name: 'Berlin-Marathon', city: 'Berlin', inception_year: 1974 },
  { name: 'New York City Marathon', city: 'New York', inception_year: 1970 },
  { name: 'Zürich Marathon', city: 'Zürich', inception_year: 2003 },
  { name: 'Marathon de Paris', city: 'Paris', inception_year: 1976 },
  { name: 'Run, "Paris" (half\\way)', city: 'Paris', inception_year: null },
  { name: 'Nowhere Run', city: null, inception_year: 1997 },
];

describe('GET /marathon', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp();
    await store(running, MARATHONS);
  });
  afterAll(async () => running.close());

  const get = (query: string) => running.http.get(`/marathon/?${query}`);
  const list = async (query: string): Promise<MarathonResponse[]> =>
    (await get(query).expect(200)).body.marathon_list;
  const ids = async (query: string) => (await list(query)).map(({ id }) => id);
  const fault = async (query: string) => (await get(query).expect(400)).body.errors[0];

  it.each([
    ['city=Boston', [1]],
    ['city=eq.Boston', [1]],
    ['city=New York', [3]],
    ['city=not.eq.Paris', [1, 2, 3, 4]],
    ['city=neq.Paris', [1, 2, 3, 4]],
    ['city=isdistinct.Paris', [1, 2, 3, 4, 7]],
    ['city=is.null', [7]],
    ['city=not.is.null&inception_year=not.is.null', [1, 2, 3, 4, 5]],
    ['city=in.("New York",Boston)', [1, 3]],
    ['city=not.in.("New York",Boston)', [2, 4, 5, 6]],
    ['id=in.()', []],
    ['name=like.*Run*', [6, 7]],
    ['name=ilike.*run*', [6, 7]],
    ['name=like.*_half\\\\%25', [6]],
    ['name=like.*_half\\%25', []],
    ['inception_year=1970', [3]],
    ['inception_year=gte.1970&inception_year=lt.1976', [2, 3]],
    ['inception_year=gt.999999999999', []],
    ['or=(name.ilike.*run*,city.eq.Paris)', [5, 6, 7]],
    ['and=(or(city.eq.Paris,city.eq.Boston),inception_year.not.is.null)', [1, 5]],
    ['not.or=(city.eq.Paris,city.eq.Boston)', [2, 3, 4]],
    ['or=(not.and(id.gt.1,id.lt.7),city.in.(Paris))', [1, 5, 6, 7]],
    ['or=(name.eq."Run, \\"Paris\\" (half\\\\way)",id.eq.1)', [1, 6]],
    ['name=eq.Run, "Paris" (half\\way)', [6]],
    ['city=Boston&city=Paris', []],
    ['city=St. Moritz', []],
    ['"city"=eq.Boston', [1]],
    ['"city"=eq.Paris&id=gt.5', [6]],
    ['name=match.^B.*thon$', [1, 2]],
    ['name=imatch.^b.*THON$', [1, 2]],
    ['name=not.match.^B', [3, 4, 5, 6, 7]],
    ['name=like(any).{Boston*,"*, *"}', [1, 6]],
    ['name=ilike(all).{*run*,*PARIS*}', [6]],
    ['city=eq(any).{Paris,"New York",NULL}', [3, 5, 6]],
    ['city=not.eq(any).{Paris,"New York"}', [1, 2, 4]],
    ['inception_year=gt(all).{1970,1990}', [4, 7]],
    ['city=eq(any).{}', []],
    ['city=eq(any).{ Paris , New\\ York }', [3, 5, 6]],
    ['or=(name.like(any).{Berlin*,Nowhere*},city.eq.Boston)', [1, 2, 7]],
    ['name=fts(english).running|paris', [5, 6, 7]],
    ['name=fts(simple).marathon %26 york', [3]],
    ['name=plfts(english).marathons paris', [5]],
    ['name=phfts(simple).york city', [3]],
    ['name=wfts(simple)."de paris" or berlin', [2, 5]],
    ['name=not.wfts(english).marathon', [6, 7]],
    ['city=is.not_null&inception_year=is.NOT_NULL', [1, 2, 3, 4, 5]],
    ['city=not.is.not_null', [7]],
    ['city=eq.gte', []],
    ['city=eq.equals.x', []],
  ])('filters by %s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  it.each([
    ['order=inception_year', [1, 3, 2, 5, 7, 4, 6]],
    ['order=inception_year.desc', [6, 4, 7, 5, 2, 3, 1]],
    ['order=inception_year.desc.nullslast&limit=2', [4, 7]],
    ['order=city.nullsfirst,inception_year.desc.nullslast&limit=3', [7, 2, 1]],
    ['limit=2&offset=5', [6, 7]],
    ['limit=0', []],
    ['offset=7', []],
  ])('sorts and pages by %s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  it.each([
    ['citty=Boston', { parameter: 'citty', detail: expect.stringContaining('city') }],
    [
      'select=name,yeer',
      { position: 6, detail: expect.stringContaining('there is no column "yeer"') },
    ],
    ['inception_year=gtee.1970', { detail: expect.stringContaining('gte') }],
    ['inception_year=>1970', { detail: expect.stringContaining('operators are eq') }],
    ['name=equals.x', { position: 1, detail: expect.stringContaining('did you mean eq?') }],
    ['name=EQ.x', { detail: expect.stringContaining('did you mean eq?') }],
    ['name=mtch.^A', { detail: expect.stringContaining('write eq.mtch.…') }],
    ['name=not.equals.x', { position: 5, detail: expect.stringContaining('did you mean eq?') }],
    ['city=gte', { detail: expect.stringContaining('write eq.gte') }],
    ['city=not', { detail: expect.stringContaining('write eq.not') }],
    ['city=ilik.*x*', { detail: expect.stringContaining('eq.ilik.') }],
    ['inception_year=like.19*', { detail: expect.stringContaining('is for text') }],
    ['city=is.nul', { detail: expect.stringContaining('not_null') }],
    ['city=is.true', { detail: expect.stringContaining('columns that are true or false') }],
    ['name=neq(any).{a}', { detail: 'neq has no modifiers', position: 10 }],
    ['name=eq(some).{a}', { detail: expect.stringContaining('(any) and (all)') }],
    ['name=fts(no way).a', { detail: expect.stringContaining('fts(english)') }],
    ['name=eq(any).a', { detail: expect.stringContaining('an array such as') }],
    ['name=eq(any).{a', { detail: expect.stringContaining('closing brace') }],
    ['name=eq(any).{a,}', { detail: expect.stringContaining('a value was expected') }],
    ['name=eq(any).{{a}}', { detail: expect.stringContaining('a value was expected') }],
    ['name=eq(any).{"a}', { detail: 'this quote is never closed' }],
    ['id=eq(any).{1,x}', { position: 12, detail: expect.stringContaining('whole number') }],
    ['id=match.1', { detail: expect.stringContaining('is for text') }],
    [`name=match.${'a'.repeat(201)}`, { detail: expect.stringContaining('200 characters') }],
    ['city=in.(Boston', { position: 11, detail: expect.stringContaining('parenthesis') }],
    ['city=in.("Boston)', { detail: 'this quote is never closed', position: 5 }],
    ['or=(city.eq.Paris', { position: 15 }],
    ['or=()', { detail: 'a column was expected', position: 2 }],
    ['or=(city.Paris)', { detail: expect.stringContaining('is not an operator') }],
    ['or=(city.eq.Paris)x', { detail: expect.stringContaining('nothing may follow') }],
    [`or=${'(or'.repeat(11)}(id.eq.1${')'.repeat(12)}`, { parameter: 'or' }],
    ['name=like.x\\', { detail: expect.stringContaining('backslash') }],
    ['name=eq.%00', { detail: expect.stringContaining('NUL') }],
    ['order=name.up', { detail: expect.stringContaining('asc, desc') }],
    ['order=name,name', { detail: 'name is named twice' }],
    ['order=relevance', { detail: expect.stringContaining('there is no column') }],
    ['limit=-1', { parameter: 'limit' }],
    ['limit=1&limit=2', { detail: 'can be sent once only' }],
    ['after=nonsense', { detail: expect.stringContaining('is no cursor') }],
    ['after=WyJ4IiwwLDFd', { detail: expect.stringContaining('another filter or order') }],
    ['having=n.gt.1', { detail: expect.stringContaining('aggregates') }],
    ['select=name,name', { detail: expect.stringContaining('selected twice') }],
    ['select=count(),city.sum()', { detail: expect.stringContaining('is for numbers') }],
    ['select=name::date', { position: 5, detail: expect.stringContaining('no cast to "date"') }],
    ['select=name::', { detail: expect.stringContaining('text, integer') }],
    ['select=id::json,count()', { detail: expect.stringContaining('combined with aggregates') }],
    ['select=id::text.sum()', { detail: expect.stringContaining('is for numbers') }],
    ['select=sum()', { detail: expect.stringContaining('needs a column') }],
    ['q=', { parameter: 'q' }],
    ['sort=name', { detail: 'is not known: use order' }],
    ['page=2', { detail: 'is not known: use limit and offset' }],
    ['Per-Page=2', { detail: 'is not known: use limit' }],
    ['constructor=2', { detail: expect.stringContaining('is not known: there are') }],
    ['"citi"=eq.Boston', { detail: expect.stringContaining('did you mean city?') }],
    ['format=xml', { parameter: 'format' }],
  ])('rejects %s with an explanation', async (query, expected) => {
    expect(await fault(query)).toMatchObject(expected);
  });

  it.each([
    ['name=match.(', 'parentheses'],
    ['name=imatch.[', 'brackets'],
    ['name=match(any).{a,*}', 'quantifier'],
    ['name=fts.a b', 'tsquery'],
    ['name=fts(klingon).a', 'klingon'],
    ['name=match.(&limit=2', 'parentheses'],
    ['select=name::integer', 'invalid input syntax'],
    ['select=name::json', 'json'],
  ])('explains what PostgreSQL rejects in %s', async (query, word) => {
    const { body } = await get(query).expect(400);
    expect(body).toMatchObject({
      code: 'invalid_parameter',
      detail: expect.stringContaining(word),
    });
  });

  it('reports all issues together', async () => {
    const { body } = await get('limit=x&order=nme&citty=Paris&as_of=then').expect(400);
    const named = body.errors.map(({ parameter }: { parameter: string }) => parameter);
    expect(named.toSorted()).toEqual(['as_of', 'citty', 'limit', 'order']);
  });

  it.each([
    ['id=1&select=inception_year::text', { inception_year: '1897' }],
    ['id=1&select=year:inception_year::numeric,id::json', { year: 1897, id: 1 }],
    ['id=1&select=y:"inception_year"::text', { y: '1897' }],
    ['select=n:count()::text', { n: '7' }],
    ['select=m:inception_year::text.max()', { m: '2003' }],
    ['select=m:inception_year::numeric.sum()::text', { m: '11817' }],
    ['select=m:inception_year.avg()::integer', { m: 1970 }],
    [
      'select=decade:inception_year::text,n:count()&having=decade.eq.1897',
      { decade: '1897', n: 1 },
    ],
    [
      'select=inception_year::text,id&order=inception_year&limit=1',
      { inception_year: '1897', id: 1 },
    ],
  ])('casts: %s', async (query, expected) => {
    expect(await list(query)).toEqual([expected]);
  });

  it('sends a column that was cast in every format', async () => {
    const { text } = await get('id=1&select=inception_year::text&format=csv').expect(200);
    expect(text).toBe('inception_year\n1897\n');
  });

  const getAs = (accept: string) =>
    get('id=7&select=name,city').set('Accept', accept).buffer().expect(200);

  it.each(['array', 'object'])('leaves out nulls in a stripped %s', async (format) => {
    const type = `application/vnd.pgrst.${format}+json`;
    const stripped = await getAs(`${type};nulls=stripped`);
    expect([JSON.parse(stripped.text)].flat()).toEqual([{ name: 'Nowhere Run' }]);
    expect(stripped.headers['content-type']).toBe(`${type};nulls=stripped; charset=utf-8`);
    const complete = await getAs(type);
    expect([JSON.parse(complete.text)].flat()).toEqual([{ name: 'Nowhere Run', city: null }]);
  });

  it('selects and renames columns, in their order', async () => {
    const answer = await get('select=year:inception_year,name&limit=1').expect(200);
    expect(answer.text).toBe('{"marathon_list":[{"year":1897,"name":"Boston Marathon"}]}');
  });

  it('sorts by a column whose name another member has', async () => {
    const answer = await get('select=name:city&order=name.desc&limit=1').expect(200);
    expect(answer.body.marathon_list).toEqual([{ name: 'Zürich' }]);
  });

  it('counts by city, with having and order', async () => {
    const answer = await get('select=city,n:count()&order=n.desc&having=n.gt.1').expect(200);
    expect(answer.body.marathon_list).toEqual([{ city: 'Paris', n: 2 }]);
  });

  it('aggregates years', async () => {
    const functions = ['min', 'max', 'avg', 'sum'].map((name) => `inception_year.${name}()`);
    const select = `n:count(),known:inception_year.count(),${functions.join(',')}`;
    const { body } = await get(`select=${select}`).expect(200);
    expect(body.marathon_list).toEqual([
      { n: 7, known: 6, min: 1897, max: 2003, avg: 1969.5, sum: 11_817 },
    ]);
  });

  it('pages forward and backward by links, over text and nulls', async () => {
    const walk = async (start: string, relation: string) => {
      const seen: number[][] = [];
      for (let path: string | undefined = start; path;) {
        const answer: Response = await running.http.get(path).expect(200);
        seen.push(answer.body.marathon_list.map(({ id }: MarathonResponse) => id));
        path = linkOf(answer.headers.link, relation) ?? '';
        if (path) last = path;
      }
      return seen;
    };
    let last = '';
    const there = await walk('/marathon/?order=city.desc&limit=2', 'next');
    expect(there).toEqual([[7, 4], [5, 6], [3, 1], [2]]);
    const back = await walk(last, 'prev');
    expect(back).toEqual([[2], [3, 1], [5, 6], [7, 4]]);
  });

  it('links to the neighbours of a page that was found by its offset', async () => {
    const { headers } = await get('limit=2&offset=3&order=id.desc').expect(200);
    const idsOf = async (relation: string) => {
      const { body } = await running.http.get(linkOf(headers.link, relation)!).expect(200);
      return body.marathon_list.map(({ id }: MarathonResponse) => id);
    };
    expect(await idsOf('prev')).toEqual([6, 5]);
    expect(await idsOf('next')).toEqual([2, 1]);
    expect(linkOf(headers.link, 'first')).toBe('/marathon/?limit=2&order=id.desc');
  });

  it('pages through groups', async () => {
    const first = await get('select=city,n:count()&order=n.desc&limit=2').expect(200);
    const next = await running.http.get(linkOf(first.headers.link, 'next')!).expect(200);
    const cities = [...first.body.marathon_list, ...next.body.marathon_list];
    expect(cities.map(({ city }) => city)).toEqual(['Paris', 'Berlin', 'Boston', 'New York']);
  });

  it.each(['city=Paris', 'order=name', 'q=run'])(
    'rejects the cursor of another list: %s',
    async (query) => {
      const { headers } = await get('limit=2').expect(200);
      const after = new URL(linkOf(headers.link, 'next')!, 'http://x').searchParams.get('after');
      expect(await fault(`${query}&limit=2&after=${after}`)).toMatchObject({ parameter: 'after' });
    },
  );

  it.each([
    ['limit=3', 206, '0-2/7'],
    ['limit=3&offset=6', 206, '6-6/7'],
    ['', 200, '0-6/7'],
    ['city=Paris', 200, '0-1/2'],
    ['city=Nowhere', 200, '*/0'],
    ['offset=7', 416, '*/7'],
    ['select=city,count()&limit=2', 206, '0-1/6'],
  ])('counts with Prefer: count=exact: %s', async (query, status, range) => {
    const answer = await get(query).set('Prefer', 'count=exact').expect(status);
    expect(answer.headers).toMatchObject({ 'content-range': range });
  });

  it.each([
    ['limit=3', '0-2/*'],
    ['limit=3&offset=6', '6-6/*'],
    ['limit=3&offset=9', '*/*'],
    ['limit=0', '*/*'],
    ['limit=50&format=csv', '0-6/*'],
    ['', undefined],
  ])('sends the range of a page without a count: %s', async (query, range) => {
    const { headers } = await get(query).expect(200);
    expect(headers['content-range']).toBe(range);
    const head = await running.http.head(`/marathon/?${query}`).expect(200);
    expect(head.headers['content-range']).toBe(range);
  });

  it.each([
    ['', '0-1', [1, 2], '0-1/*'],
    ['', 'items=5-9', [6, 7], '5-6/*'],
    ['offset=1', '0-2', [2, 3], '1-2/*'],
    ['limit=2&offset=1', '2-9', [3], '2-2/*'],
    ['limit=2', '4-5', [], '*/*'],
    ['', '5-', [6, 7], undefined],
    ['', 'bytes=0-1', [1, 2, 3, 4, 5, 6, 7], undefined],
    ['', 'nonsense', [1, 2, 3, 4, 5, 6, 7], undefined],
  ])('reads the header Range: %s %s', async (query, range, expected, contentRange) => {
    const { body, headers } = await get(query).set('Range', range).expect(200);
    expect(body.marathon_list.map(({ id }: MarathonResponse) => id)).toEqual(expected);
    expect(headers['content-range']).toBe(contentRange);
  });

  it('follows Range with links to the next rows', async () => {
    const { headers } = await get('').set('Range', '0-2').expect(200);
    const { body } = await running.http.get(linkOf(headers.link, 'next')!).expect(200);
    expect(body.marathon_list.map(({ id }: MarathonResponse) => id)).toEqual([4, 5, 6]);
  });

  it('counts with Range, and ignores it with another Range-Unit', async () => {
    const part = await get('').set({ Range: '2-3', Prefer: 'count=exact' }).expect(206);
    expect(part.headers['content-range']).toBe('2-3/7');
    const all = await get('').set({ Range: '2-3', 'Range-Unit': 'bytes' }).expect(200);
    expect(all.body.marathon_list).toHaveLength(7);
    await get('').set({ Range: '9-12', Prefer: 'count=exact' }).expect(416);
    const { body } = await get('').set('Range', '3-2').expect(416);
    expect(body.detail).toContain('0-24');
    await get('after=WyJ4IiwwLDFd').set('Range', '0-1').expect(400);
  });

  it.each(['planned', 'estimated'])('counts with Prefer: count=%s', async (mode) => {
    const { headers } = await get('limit=3').set('Prefer', `count=${mode}`).expect(206);
    expect(headers['content-range']).toMatch(mode === 'estimated' ? /^0-2\/7$/ : /^0-2\/\d+$/);
    expect(headers['preference-applied']).toBe(`count=${mode}`);
    const head = await running.http.head('/marathon/?limit=3').set('Prefer', `count=${mode}`);
    expect(head.headers['content-range']).toBe(headers['content-range']);
  });

  it('never plans fewer rows than it sends', async () => {
    const query = 'id=gt.1&id=lt.7&name=neq.x&city=neq.y&inception_year=gt.0';
    const { headers } = await get(`${query}&limit=5`).set('Prefer', 'count=planned');
    const [, sent, planned] = /-(\d+)\/(\d+)$/.exec(headers['content-range']!)!;
    expect(Number(planned)).toBeGreaterThan(Number(sent));
  });

  it('reports the range of a page after a cursor', async () => {
    const count = { Prefer: 'count=exact' };
    const { headers } = await get('limit=3').expect(200);
    const second = await running.http.get(linkOf(headers.link, 'next')!).set(count).expect(206);
    expect(second.headers['content-range']).toBe('3-5/7');
    const back = await running.http
      .get(linkOf(second.headers.link, 'prev')!)
      .set(count)
      .expect(206);
    expect(back.headers['content-range']).toBe('0-2/7');
  });

  it.each([
    ['csv', 'text/csv', 'id,name,city,inception_year\n6,"Run, ""Paris"" (half\\way)",Paris,\n'],
    [
      'ndjson',
      'application/x-ndjson',
      '{"id":6,"name":"Run, \\"Paris\\" (half\\\\way)","city":"Paris","inception_year":null}\n',
    ],
    [
      'array',
      'application/vnd.pgrst.array+json',
      '[{"id":6,"name":"Run, \\"Paris\\" (half\\\\way)","city":"Paris","inception_year":null}]',
    ],
  ])('answers as %s, by Accept or format', async (format, accept, expected) => {
    const named = await get(`id=6&format=${format}`).buffer().expect(200);
    const accepted = await get('id=6').set('Accept', accept).buffer().expect(200);
    for (const { text, body, headers } of [named, accepted]) {
      expect(text ?? String(body)).toBe(expected);
      expect(headers['content-type']).toContain(accept);
      expect(headers.vary).toBe('Accept, Accept-Encoding, Prefer, Range');
    }
  });

  it('answers 406 if the client accepts no format', async () => {
    const { body } = await get('').set('Accept', 'text/html').expect(406);
    expect(body.detail).toContain('text/csv');
  });

  it('answers 304 in the format that the client has', async () => {
    const { headers } = await get('format=csv').expect(200);
    await get('format=csv').set('If-None-Match', headers.etag!).expect(304);
    await get('').set('If-None-Match', headers.etag!).expect(200);
  });

  it('answers HEAD with headers only', async () => {
    const answer = await running.http.head('/marathon/?limit=2').set('Prefer', 'count=exact');
    expect(answer.headers['content-range']).toBe('0-1/7');
    expect(answer.text).toBeFalsy();
  });

  it('shows versions only if they are selected', async () => {
    await running.http.patch('/marathon/5').send({ city: 'Lyon' }).expect(200);
    const then = new Date().toISOString();
    const { body } = await running.http.patch('/marathon/5').send({ city: 'Paris' }).expect(200);
    expect(await list('id=eq.5&select=*,version')).toEqual([{ ...body, version: 3 }]);
    expect(await list(`id=eq.5&select=v:version&as_of=${then}`)).toEqual([{ v: 2 }]);
    expect(await list('id=eq.5')).toEqual([body]);
    const changed = await running.http
      .patch('/marathon/?id=eq.5&select=version')
      .set('Prefer', 'return=representation')
      .send({ inception_year: 1977 });
    expect(changed.body.marathon_list).toEqual([{ version: 4 }]);
    await running.http.patch('/marathon/5').send({ inception_year: 1976 }).expect(200);
    const anniversaries = await running.http.get('/marathon/anniversaries?select=id,version');
    expect(anniversaries.status).toBe(200);
  });

  it('lists the marathons of a past time', async () => {
    const then = new Date().toISOString();
    await running.http.patch('/marathon/7').send({ city: 'Somewhere' }).expect(200);
    expect(await ids(`city=is.null&as_of=${then}`)).toEqual([7]);
    expect(await ids('city=is.null')).toEqual([]);
    await running.http.patch('/marathon/7').send({ city: null }).expect(200);
  });

  it('lists the round anniversaries of a year, the largest first', async () => {
    const { body } = await running.http.get('/marathon/anniversaries?year=2027').expect(200);
    expect(
      body.marathon_list.map(({ id, years }: { id: number; years: number }) => [id, years]),
    ).toEqual([
      [1, 130],
      [7, 30],
    ]);
  });

  it('computes statistics of all and of filtered marathons', async () => {
    const { body } = await running.http.get('/marathon/stats').expect(200);
    expect(body).toMatchObject({ count: 7, cities: 5, oldest: { id: 1 }, newest: { id: 4 } });
    expect(body.by_city[0]).toEqual({ city: 'Paris', count: 2 });
    expect(body.by_decade).toContainEqual({ decade: 1970, count: 3 });
    expect(body.by_decade.at(-1)).toEqual({ decade: null, count: 1 });
    const some = await running.http.get('/marathon/stats?city=Boston').expect(200);
    expect(some.body).toMatchObject({ count: 1, newest: { id: 1 } });
    const none = await running.http.get('/marathon/stats?city=Nowhere').expect(200);
    expect(none.body).toEqual({
      count: 0,
      by_decade: [],
      cities: 0,
      by_city: [],
      oldest: null,
      newest: null,
    });
  });
});

function linkOf(header: string | undefined, relation: string): string | undefined {
  return new RegExp(`<([^>]*)>; rel="${relation}"`).exec(header ?? '')?.[1];
}
