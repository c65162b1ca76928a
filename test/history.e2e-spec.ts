import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeResponse } from '../src/marathon/marathon.dto.js';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';

describe('history', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  const store = async (details = {}): Promise<string> => {
    const { headers } = await running.http.post('/marathon/').send(aMarathon(details)).expect(201);
    return String(headers.location);
  };
  const history = async (place: string): Promise<ChangeResponse[]> =>
    (await running.http.get(`${place}/history`).expect(200)).body.history;

  /** A marathon with four versions: created, updated, deleted, restored. */
  const aLife = async (): Promise<string> => {
    const place = await store({ city: 'Boston' });
    await running.http.patch(place).send({ city: 'Hopkinton' }).expect(200);
    await running.http.delete(place).expect(204);
    await running.http.post(`${place}/restore`).expect(200);
    return place;
  };

  it('lists every version, newest first, including those of a deleted marathon', async () => {
    const place = await aLife();
    await running.http.delete(place).expect(204);
    const entries = await history(place);
    expect(entries.map(({ operation, version }) => [operation, version])).toEqual([
      ['delete', 5],
      ['restore', 4],
      ['delete', 3],
      ['update', 2],
      ['create', 1],
    ]);
    expect(entries.map(({ marathon }) => marathon.city)).toEqual([
      'Hopkinton',
      'Hopkinton',
      'Hopkinton',
      'Hopkinton',
      'Boston',
    ]);
    expect(entries[4]).toEqual({
      seq: expect.any(Number),
      operation: 'create',
      version: 1,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      by: null,
      marathon: { id: Number(place.split('/').at(-1)), ...aMarathon() },
    });
  });

  it('is paged, with a link to the next page', async () => {
    const place = await aLife();
    const first = await running.http.get(`${place}/history?limit=3`);
    expect(first.body.history.map(({ version }: ChangeResponse) => version)).toEqual([4, 3, 2]);
    const next = /^<([^>]+)>; rel="next"$/.exec(String(first.headers.link))?.[1];
    const last = await running.http.get(String(next));
    expect(last.body.history.map(({ version }: ChangeResponse) => version)).toEqual([1]);
    expect(last.headers.link).toBeUndefined();
  });

  it('shows one marathon and the list at any past time', async () => {
    const place = await aLife();
    const [restored, deleted, moved, founded] = await history(place);
    const seen = async (at: unknown) => running.http.get(`${place}?as_of=${String(at)}`);
    const listed = async (at: unknown) => {
      const { body } = await running.http.get(`/marathon/?as_of=${String(at)}`).expect(200);
      return body.marathon_list.find(({ id }: { id: number }) => place.endsWith(`/${id}`));
    };
    expect((await seen(founded!.at)).body).toEqual(founded!.marathon);
    expect((await seen(moved!.at)).body.city).toBe('Hopkinton');
    expect((await seen(moved!.at)).headers.etag).toBe('"2"');
    expect(await seen(deleted!.at)).toMatchObject({ status: 404 });
    expect(await listed(founded!.at)).toEqual(founded!.marathon);
    expect(await listed(deleted!.at)).toBeUndefined();
    expect(await listed(restored!.at)).toEqual(restored!.marathon);
    expect(await seen('2001-01-01T00:00:00Z')).toMatchObject({ status: 404 });
    expect(await listed('2001-01-01T00:00:00Z')).toBeUndefined();
    expect(await listed('2001-01-01T00:00:00%2B02:00')).toBeUndefined();
  });

  it.each(['yesterday', '2026-01-01', '2026-13-01T00:00:00Z', '2999-01-01T00:00:00Z', ''])(
    'rejects the time "%s"',
    async (time) => {
      const { body } = await running.http.get(`/marathon/?as_of=${time}`).expect(400);
      expect(body.errors).toMatchObject([{ parameter: 'as_of' }]);
    },
  );

  it('restores a deleted marathon under its id, and any earlier version', async () => {
    const place = await aLife();
    const { body, headers } = await running.http.post(`${place}/restore?version=1`).expect(200);
    expect(body.city).toBe('Boston');
    expect(headers.etag).toBe('"5"');
    expect((await running.http.get(place)).body).toEqual(body);
  });

  it('rejects restoring a marathon that is not deleted or never existed', async () => {
    const place = await store();
    const { body } = await running.http.post(`${place}/restore`).expect(409);
    expect(body.detail).toContain('?version=2');
    await running.http.post(`${place}/restore?version=7`).expect(404);
    await running.http.post('/marathon/99999/restore').expect(404);
    await running.http.get('/marathon/99999/history').expect(404);
    await running.http.post(`${place}/restore?version=0`).expect(400);
    await running.http.post(`${place}/restore?version=1`).set('If-Match', '"9"').expect(412);
  });

  it('lists changes in commit order, without gaps', async () => {
    const { changes: before } = (await running.http.get('/marathon/changes')).body;
    const since = before.at(-1).seq;
    const place = await aLife();
    const { body } = await running.http.get(`/marathon/changes?since=${since}`).expect(200);
    expect(body.changes.map(({ seq }: ChangeResponse) => seq - since)).toEqual([1, 2, 3, 4]);
    expect(body.changes.toReversed()).toEqual(await history(place));
    const page = await running.http.get(`/marathon/changes?since=${since}&limit=2`);
    expect(page.headers.link).toBe(`</marathon/changes?since=${since + 2}&limit=2>; rel="next"`);
  });

  it('rejects a change number of the future', async () => {
    const { body } = await running.http.get('/marathon/changes?since=99999').expect(400);
    expect(body.detail).toMatch(/^There is no change 99999 yet: the last one is \d+\.$/);
  });

  it.each(['since=-1', 'since=x', 'since=', 'since=1&since=2', 'limit=0', 'limit=1001', 'sinse=1'])(
    'rejects changes?%s',
    async (query) => {
      const { body } = await running.http.get(`/marathon/changes?${query}`).expect(400);
      expect(body.errors).toMatchObject([{ parameter: query.split('=')[0] }]);
    },
  );
});
