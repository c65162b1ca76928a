import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';
import { store } from './support/store.js';

const PREFER = { Prefer: 'tx=rollback, return=representation' };
const BOSTON = { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 };
const PARIS = { name: 'Paris', city: 'Paris', inception_year: 1976 };

describe('a dry run with return=representation', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => {
    await running.http.delete('/marathon/?id=gt.0').expect(200);
    await store(running, [BOSTON, PARIS]);
  });

  const list = async () => (await running.http.get('/marathon/')).body.marathon_list;
  const post = (query: string, type: string, body: string, prefer = '') =>
    running.http
      .post(`/marathon/${query}`)
      .set({ Prefer: `${PREFER.Prefer}${prefer}`, 'Content-Type': type })
      .send(body);

  it('shows a new marathon', async () => {
    const before = await list();
    const created = await running.http.post('/marathon/').set(PREFER).send(BOSTON).expect(201);
    expect(created.body).toEqual({ marathon_list: [{ id: expect.any(Number), ...BOSTON }] });
    expect(created.headers['preference-applied']).toBe('tx=rollback, return=representation');
    const chosen = await running.http
      .post('/marathon/?select=id,city')
      .set(PREFER)
      .send({ id: 5000, name: 'A' });
    expect(chosen.body).toEqual({ marathon_list: [{ id: 5000, city: null }] });
    expect(await list()).toEqual(before);
  });

  it('shows by its version whether a marathon would be new or changed', async () => {
    const query = '?on_conflict=name,city&select=name,version';
    const rows = 'name,city,inception_year\nBoston Marathon,Boston,1898\nNew,,\nParis,Paris,1976\n';
    const imported = await post(query, 'text/csv', rows, ', resolution=merge-duplicates');
    expect(imported.body.marathon_list).toEqual([
      { name: 'Boston Marathon', version: 2 },
      { name: 'New', version: 1 },
    ]);
    const created = await post('?select=version', 'application/json', JSON.stringify(BOSTON));
    expect(created.body.marathon_list).toEqual([{ version: 1 }]);
  });

  it('shows the marathons as a bulk change would leave them', async () => {
    const before = await list();
    const patched = await running.http
      .patch('/marathon/?id=gt.0&order=name.desc&select=name,city')
      .set(PREFER)
      .send({ city: 'Changed' })
      .expect(200);
    expect(patched.body.marathon_list).toEqual([
      { name: 'Paris', city: 'Changed' },
      { name: 'Boston Marathon', city: 'Changed' },
    ]);
    const deleted = await running.http.delete('/marathon/?city=Paris').set(PREFER).expect(200);
    expect(deleted.body.marathon_list).toEqual([before[1]]);
    expect(await list()).toEqual(before);
  });

  it('shows the marathons that an import would create and update', async () => {
    const before = await list();
    const imported = await post('?select=name,city', 'text/csv', 'name,city\nA,x\nB,\n');
    expect(imported.body.marathon_list).toEqual([
      { name: 'A', city: 'x' },
      { name: 'B', city: null },
    ]);
    const json = JSON.stringify([{ ...PARIS, inception_year: 1 }, BOSTON, { name: 'C' }]);
    const merge = ', resolution=merge-duplicates';
    const query = '?on_conflict=name,city&select=name,inception_year';
    const merged = await post(query, 'application/json', json, merge).expect(201);
    expect(merged.body.marathon_list).toHaveLength(2);
    expect(merged.body.marathon_list).toEqual(
      expect.arrayContaining([
        { name: 'C', inception_year: null },
        { name: 'Paris', inception_year: 1 },
      ]),
    );
    expect(await list()).toEqual(before);
  });

  it('is refused for more marathons than it can show', async () => {
    const rows = Array.from({ length: 10_001 }, (_, index) => `Marathon ${index}`).join('\n');
    const { body } = await post('', 'text/csv', `name\n${rows}\n`).expect(400);
    expect(body).toMatchObject({ code: 'invalid_preference' });
    expect(await list()).toHaveLength(2);
  });
});
