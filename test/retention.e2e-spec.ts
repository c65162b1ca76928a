import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Retention } from '../src/journal/retention.js';
import type { ChangeResponse } from '../src/marathon/marathon.dto.js';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { emptyRegistry } from './support/store.js';
import { replay } from './support/writers.js';

const DAY_MS = 86_400_000;

describe('a journal that is pruned after a day', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ JOURNAL_DAYS: '1', IDEMPOTENCY_HOURS: '24' });
  });
  afterAll(async () => running.close());
  beforeEach(async () => emptyRegistry(running));

  const create = async (name: string, key: string) => {
    const { body } = await running.http
      .post('/marathon/')
      .set('Idempotency-Key', `"${key}"`)
      .send(aMarathon({ name }));
    return (body as { id: number }).id;
  };
  const rename = async (id: number, name: string) =>
    running.http.patch(`/marathon/${id}`).send({ name }).expect(200);
  /** What happened until now was three days ago. */
  const letDaysPass = async () =>
    running.database.query("UPDATE journal_request SET at = at - interval '3 days'");
  const prune = async () => running.app.get(Retention).prune();
  const versionsOf = async (id: number) => {
    const { body } = await running.http.get(`/marathon/${id}/history`).expect(200);
    return (body as { history: ChangeResponse[] }).history.map(({ version }) => version);
  };

  it('keeps the last version of a day ago, and all later ones', async () => {
    const id = await create('one', 'a');
    await rename(id, 'two');
    await rename(id, 'three');
    await letDaysPass();
    await rename(id, 'four');
    await prune();
    expect(await versionsOf(id)).toEqual([4, 3]);
    await rename(id, 'five');
    expect(await versionsOf(id)).toEqual([5, 4, 3]);
  });

  it('answers 410 for earlier times, and with the state of later ones', async () => {
    const id = await create('one', 'a');
    await rename(id, 'two');
    await letDaysPass();
    await rename(id, 'three');
    await prune();
    for (const path of [`/marathon/${id}`, '/marathon/', '/marathon/stats']) {
      const earlier = await running.http.get(path).query({ as_of: agoIso(2 * DAY_MS) });
      expect([path, earlier.status, earlier.body.code]).toEqual([path, 410, 'history_pruned']);
    }
    const later = await running.http.get(`/marathon/${id}`).query({ as_of: agoIso(DAY_MS / 2) });
    expect(later.body).toMatchObject({ name: 'two' });
    const list = await running.http.get('/marathon/').query({ as_of: agoIso(DAY_MS / 2) });
    expect(list.text).toContain('two');
  });

  it('forgets keys of a day ago, and no later ones', async () => {
    await create('old', 'old key');
    await letDaysPass();
    await create('young', 'young key');
    await prune();
    expect(await create('another', 'old key')).toEqual(expect.any(Number));
    // the key was used for another request
    expect(await create('another', 'young key')).toBeUndefined();
  });

  it('can restore what was deleted before', async () => {
    const id = await create('deleted', 'a');
    await running.http.delete(`/marathon/${id}`).expect(204);
    await letDaysPass();
    await create('later', 'b');
    await prune();
    await running.http.post(`/marathon/${id}/restore`).expect(200);
  });

  it('does not undo what was before', async () => {
    const id = await create('one', 'a');
    await rename(id, 'two');
    await letDaysPass();
    await rename(id, 'three');
    await prune();
    const undo = async (range: string) =>
      running.http.post('/marathon/restore').query({ changes: range });
    const old = await undo('2-2');
    expect([old.status, old.body.code]).toEqual([410, 'history_pruned']);
    expect((await undo('3-3')).status).toBe(200);
    const { body } = await running.http.get(`/marathon/${id}`);
    expect(body).toMatchObject({ name: 'two' });
  });

  it('still gives the table when it is replayed, from wherever', async () => {
    const ids = [await create('one', 'a'), await create('two', 'b'), await create('three', 'c')];
    for (const id of ids) await rename(id, `changed ${id}`);
    await running.http.delete(`/marathon/${ids[2]}`).expect(204);
    const { body: page } = await running.http.get('/marathon/changes?limit=4');
    const { changes: seen } = page as { changes: ChangeResponse[] };
    await letDaysPass();
    await rename(ids[0]!, 'now');
    await prune();
    const since = async (seq: number) => {
      const { body } = await running.http.get(`/marathon/changes?since=${seq}`).expect(200);
      return (body as { changes: ChangeResponse[] }).changes;
    };
    const table = await running.database.query(
      'SELECT id, name, city, inception_year FROM marathon ORDER BY id',
    );
    expect(replay(await since(0))).toEqual(table);
    expect(replay([...seen, ...(await since(seen.at(-1)!.seq))])).toEqual(table);
  });

  it('goes on where it was left, in steps', async () => {
    const rows = Array.from({ length: 12_000 }, (_, index) => `Marathon ${index}`).join('\n');
    await running.http.post('/marathon/').set('Content-Type', 'text/csv').send(`name\n${rows}`);
    const change = { city: 'Rome' };
    await running.http.patch('/marathon/?id=gt.0').send(change).expect(200);
    await letDaysPass();
    await create('later', 'a');
    await prune();
    const [{ count }] = (await running.database.query('SELECT count(*)::integer FROM journal')) as [
      { count: number },
    ];
    expect(count).toBe(12_001);
    await prune();
    expect(await versionsOf(1)).toEqual([2]);
  });
});

function agoIso(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}
