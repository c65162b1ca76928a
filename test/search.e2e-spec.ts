import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';
import { store } from './support/store.js';

const MARATHONS = [
  { name: 'Zürich Marathon', city: 'Zürich' },
  { name: 'Oberlin Half', city: 'Ohio' },
  { name: 'BERLIN-MARATHON', city: 'Berlin' },
  { name: 'Maratona di São Paulo', city: 'São Paulo' },
  { name: '100% Run_Wild', city: null },
  { name: '東京マラソン', city: '東京' },
];

describe('search', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp();
    await store(running, MARATHONS);
  });
  afterAll(async () => running.close());

  const find = async (words: string, more = ''): Promise<string[]> => {
    const answer = await running.http.get(`/marathon/?q=${encodeURIComponent(words)}${more}`);
    expect(answer.status).toBe(200);
    return answer.body.marathon_list.map(({ name }: { name: string }) => name);
  };

  it('ignores case', async () => {
    expect(await find('berlin-MARATHON')).toEqual(['BERLIN-MARATHON']);
  });

  it('finds marathons with all words in their name or city', async () => {
    expect(await find('ohio half')).toEqual(['Oberlin Half']);
  });

  it('treats no character as a wildcard', async () => {
    expect(await find('0% run_w')).toEqual(['100% Run_Wild']);
    expect(await find('_')).toEqual(['100% Run_Wild']);
  });

  it('finds text in scripts without accents', async () => {
    expect(await find('東京')).toEqual(['東京マラソン']);
  });

  it('finds one and two letters where a word begins', async () => {
    expect(await find('pa')).toEqual(['Maratona di São Paulo']);
    expect(await find('ZÜ')).toEqual(['Zürich Marathon']);
    expect(await find('o half')).toEqual(['Oberlin Half']);
    expect(await find('li')).toEqual([]);
  });

  it('counts what was found by decade and by city', async () => {
    const { body } = await running.http.get('/marathon/stats?q=zurch').expect(200);
    expect(body).toMatchObject({ count: 1, by_city: [{ city: 'Zürich', count: 1 }] });
  });

  it('combines with filters and another order', async () => {
    expect(await find('berlin', '&city=Ohio')).toEqual(['Oberlin Half']);
    expect(await find('berlin', '&order=id')).toEqual(['Oberlin Half', 'BERLIN-MARATHON']);
  });

  it('finds nothing if no word is similar', async () => {
    expect(await find('qwertzuiop')).toEqual([]);
  });

  it.each(['zurich', 'ZÜRICH', 'zuerich', 'zurch', 'sao paulo', 'sao paolo'])(
    'ignores accents and typos: %s',
    async (words) => {
      expect(await find(words)).toEqual([
        words.startsWith('sao') ? MARATHONS[3]!.name : MARATHONS[0]!.name,
      ]);
    },
  );

  it('sorts the best match first', async () => {
    expect(await find('berlin')).toEqual(['BERLIN-MARATHON', 'Oberlin Half']);
  });

  it('pages through matches, each once', async () => {
    const first = await running.http.get('/marathon/?q=marat&limit=2');
    const next = /<([^>]*)>; rel="next"/.exec(first.headers.link!)![1]!;
    const second = await running.http.get(next).expect(200);
    const names = [...first.body.marathon_list, ...second.body.marathon_list];
    expect(names.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([1, 3, 4]);
  });

  it('finds rows with and without an index', async () => {
    const many = Array.from({ length: 10_001 }, (_, index) => ({
      name: `Number ${index} of Köln`,
    }));
    await store(running, many);
    const isIndexed = `SELECT 1 FROM pg_index JOIN pg_class ON oid = indexrelid
                         WHERE indisvalid AND relname ~ '^marathon_search_'`;
    while (!(await running.database.query(isIndexed)).length);
    await store(running, [{ name: 'Later, at Koln' }]);
    expect(await find('zurich')).toEqual(['Zürich Marathon']);
    expect(await find('koln', '&order=id.desc&limit=2')).toEqual([
      'Later, at Koln',
      'Number 10000 of Köln',
    ]);
    const counted = await running.http
      .get('/marathon/?q=koln&limit=1')
      .set('Prefer', 'count=exact');
    expect(counted.headers['content-range']).toBe('0-0/10002');
  });
});
