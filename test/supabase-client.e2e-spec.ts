import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { startApp, type RunningApp } from './support/app.js';

const BOSTON = { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 };
const BERLIN = { name: 'Berlin-Marathon', city: 'Berlin', inception_year: 1974 };

describe('@supabase/supabase-js, unchanged', () => {
  let running: RunningApp;
  let supabase: SupabaseClient;
  beforeAll(async () => {
    running = await startApp();
    supabase = createClient(await running.app.getUrl(), 'a-key', {
      auth: { persistSession: false },
      // without one, the client does not start on Node 20, which has no WebSocket
      realtime: { transport: class {} as never },
    });
  });
  afterAll(async () => running.close());
  beforeEach(async () => {
    await running.http.delete('/marathon/?id=gt.0').expect(200);
    await supabase.from('marathon').insert([BOSTON, BERLIN]).throwOnError();
  });

  const marathons = () => supabase.from('marathon');

  it('reads all rows, or selected ones', async () => {
    const { data, status } = await marathons().select();
    expect({ data, status }).toEqual({
      status: 200,
      data: [
        { id: expect.any(Number), ...BOSTON },
        { id: expect.any(Number), ...BERLIN },
      ],
    });
    const selected = await marathons().select('name').gte('inception_year', 1900);
    expect(selected.data).toEqual([{ name: BERLIN.name }]);
  });

  it('counts', async () => {
    const { count } = await marathons().select('*', { count: 'exact', head: true });
    expect(count).toBe(2);
  });

  it('reads a page, with the links to others', async () => {
    const url = `${await running.app.getUrl()}/rest/v1/marathon?limit=1&select=name`;
    const page = await fetch(url);
    expect(await page.json()).toEqual([{ name: BOSTON.name }]);
    expect(page.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link')!)![1]!;
    expect(next).toMatch(/^\/rest\/v1\/marathon/);
    expect(await (await fetch(new URL(next, url))).json()).toEqual([{ name: BERLIN.name }]);
  });

  it('inserts without an answer, or with the rows', async () => {
    const silent = await marathons().insert({ name: 'Oslo' });
    expect(silent).toMatchObject({ data: null, error: null, status: 201 });
    const { data } = await marathons().insert({ name: 'Rome' }).select('id,name').single();
    expect(data).toEqual({ id: expect.any(Number), name: 'Rome' });
    const many = await marathons()
      .insert([{ name: 'A' }, { id: 9000, name: 'B' }])
      .select('name');
    expect(many.data).toEqual([{ name: 'B' }, { name: 'A' }]);
  });

  it('updates', async () => {
    const silent = await marathons().update({ city: 'X' }).eq('name', BOSTON.name);
    expect(silent).toMatchObject({ data: null, error: null, status: 204 });
    const { data } = await marathons().select().eq('city', 'X').single();
    const again = await marathons()
      .update({ ...data, city: 'Y' })
      .eq('id', data.id)
      .select();
    expect(again.data).toEqual([{ ...data, city: 'Y' }]);
    const none = await marathons().update({ city: 'Z' }).eq('id', 1).select().maybeSingle();
    expect(none).toMatchObject({ data: null, error: null });
  });

  it('upserts by id, and by name and city', async () => {
    const { data } = await marathons().select('id').eq('city', 'Boston').single();
    await marathons()
      .upsert([{ id: data!.id, name: 'Boston' }, { name: 'New' }])
      .throwOnError();
    await marathons()
      .upsert({ ...BERLIN, inception_year: 1975 }, { onConflict: 'name,city' })
      .throwOnError();
    await marathons()
      .upsert({ ...BERLIN, inception_year: 1 }, { onConflict: 'name,city', ignoreDuplicates: true })
      .throwOnError();
    const rows = await marathons().select('name,inception_year').order('id');
    expect(rows.data).toEqual([
      { name: 'Boston', inception_year: 1897 },
      { name: 'Berlin-Marathon', inception_year: 1975 },
      { name: 'New', inception_year: null },
    ]);
  });

  it('deletes', async () => {
    const { data } = await marathons().delete().eq('city', 'Berlin').select('name');
    expect(data).toEqual([{ name: BERLIN.name }]);
    const silent = await marathons().delete().eq('city', 'Boston');
    expect(silent).toMatchObject({ data: null, error: null, status: 204 });
    expect((await marathons().select()).data).toEqual([]);
  });

  it('gets errors that say what is wrong', async () => {
    const { error, status } = await marathons().select('nme');
    expect(status).toBe(400);
    expect(error).toMatchObject({
      code: 'invalid_parameter',
      message: 'select: there is no column "nme": did you mean name?',
    });
    const invalid = await marathons().insert({ name: '' });
    expect(invalid.error).toMatchObject({
      code: 'invalid_body',
      message: 'name: must not be blank',
    });
    const unknown = await supabase.from('runner').select();
    expect(unknown).toMatchObject({ status: 404, error: { code: 'unknown_address' } });
  });

  it('stops a request of more rows than one', async () => {
    const { error, status } = await marathons().select().single();
    expect(status).toBe(406);
    expect(error!.details).toMatch(/more than one/);
  });
});
