import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PostgrestClient } from '@supabase/postgrest-js';
import { startApp, type RunningApp } from './support/app.js';

describe('@supabase/postgrest-js, unchanged', () => {
  let running: RunningApp;
  let client: PostgrestClient;
  beforeAll(async () => {
    running = await startApp();
    const headers = { Accept: 'application/vnd.pgrst.array+json' };
    client = new PostgrestClient(await running.app.getUrl(), { headers });
  });
  afterAll(async () => running.close());
  beforeEach(async () => {
    await running.http.delete('/marathon/?id=gt.0').expect(200);
    await client.from('marathon').insert([
      { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 },
      { name: 'Berlin-Marathon', city: 'Berlin', inception_year: 1974 },
      { name: 'Paris, by night', city: 'Paris', inception_year: 1976 },
    ]);
  });

  const marathons = () => client.from('marathon');
  const select = () => marathons().select('name');

  it('filters', async () => {
    expect(await names(select().eq('city', 'Boston'))).toBe('o');
    expect(await names(select().neq('city', 'Boston'))).toBe('ea');
    expect(await names(select().gte('inception_year', 1974).lt('inception_year', 1976))).toBe('e');
    expect(await names(select().ilike('name', '%MARATHON'))).toBe('oe');
    expect(await names(select().like('name', 'B*'))).toBe('oe');
    expect(await names(select().in('name', ['Paris, by night', 'x"y']))).toBe('a');
    expect(await names(select().is('city', null))).toBe('');
    expect(await names(select().not('city', 'is', null))).toBe('oea');
    expect(
      await names(select().or('city.eq.Paris,and(city.eq.Boston,inception_year.lt.1900)')),
    ).toBe('oa');
    expect(await names(select().match({ city: 'Berlin', inception_year: 1974 }))).toBe('e');
    expect(await names(select().filter('city', 'in', '(Paris,Berlin)'))).toBe('ea');
  });

  it('matches patterns, regular expressions and full-text searches', async () => {
    expect(await names(select().likeAnyOf('name', ['Boston*', '*night']))).toBe('oa');
    expect(await names(select().ilikeAllOf('name', ['b%', '%MARATHON']))).toBe('oe');
    expect(await names(select().regexMatch('name', '^B.*n$'))).toBe('oe');
    expect(await names(select().regexIMatch('name', 'NIGHT$'))).toBe('a');
    const config = 'english';
    expect(await names(select().textSearch('name', 'marathons & !boston', { config }))).toBe('e');
    expect(await names(select().textSearch('name', 'paris night', { type: 'plain' }))).toBe('a');
    const websearch = { type: 'websearch', config } as const;
    expect(await names(select().textSearch('name', '"boston marathon" or paris', websearch))).toBe(
      'oa',
    );
  });

  it('sorts, limits and counts', async () => {
    const { data, count, error } = await marathons()
      .select('name', { count: 'exact' })
      .order('inception_year', { ascending: false, nullsFirst: false })
      .range(1, 2);
    expect({ error, count, names: data?.map(({ name }) => name) }).toEqual({
      error: null,
      count: 3,
      names: ['Berlin-Marathon', 'Boston Marathon'],
    });
    const head = await marathons().select('*', { count: 'exact', head: true });
    expect(head.count).toBe(3);
    expect((await marathons().select().limit(2)).data).toHaveLength(2);
  });

  it('reads a single row, or at most one', async () => {
    const one = await marathons().select('name').eq('city', 'Boston').single();
    expect(one.data).toEqual({ name: 'Boston Marathon' });
    const many = await marathons().select().single();
    expect(many.status).toBe(406);
    const none = await marathons().select().eq('city', 'Nowhere').maybeSingle();
    expect(none).toMatchObject({ data: null, error: null });
    const perhaps = await marathons().select('city').eq('city', 'Paris').maybeSingle();
    expect(perhaps.data).toEqual({ city: 'Paris' });
  });

  it('reads CSV', async () => {
    const { data } = await marathons().select('name,city').eq('city', 'Paris').csv();
    expect(data).toBe('name,city\n"Paris, by night",Paris\n');
  });

  it('inserts, updates and deletes, with the changed rows', async () => {
    const inserted = await marathons().insert({ name: 'Oslo Maraton', city: 'Oslo' }).select();
    expect(inserted).toMatchObject({ status: 201, error: null });
    expect(inserted.data).toEqual([
      { id: expect.any(Number), name: 'Oslo Maraton', city: 'Oslo', inception_year: null },
    ]);
    const updated = await marathons()
      .update({ inception_year: 1981 })
      .eq('city', 'Oslo')
      .select('inception_year')
      .single();
    expect(updated.data).toEqual({ inception_year: 1981 });
    const deleted = await marathons().delete().eq('city', 'Oslo');
    expect(deleted).toMatchObject({ error: null, status: 200 });
    expect((await marathons().select('*', { count: 'exact', head: true })).count).toBe(3);
  });

  it('upserts many rows', async () => {
    const rows = [
      { name: 'Berlin-Marathon', city: 'Berlin', inception_year: 1975 },
      { name: 'New', city: 'Rome', inception_year: 1 },
    ];
    const { error } = await marathons().upsert(rows, { onConflict: 'name,city' });
    expect(error).toBeNull();
    const { data } = await marathons()
      .select('inception_year')
      .in('city', ['Berlin', 'Rome'])
      .order('id');
    expect(data).toEqual([{ inception_year: 1975 }, { inception_year: 1 }]);
  });

  it('reports errors', async () => {
    const { error, status } = await marathons().select('nme');
    expect(status).toBe(400);
    expect(error).toMatchObject({
      code: 'invalid_parameter',
      message: 'select: there is no column "nme": did you mean name?',
      hint: null,
    });
  });
});

/** The second letters of the names. */
async function names(
  answer: PromiseLike<{ data: { name: string }[] | null; error: unknown }>,
): Promise<string> {
  const { data, error } = await answer;
  expect(error).toBeNull();
  return data!.map(({ name }) => name[1]).join('');
}
