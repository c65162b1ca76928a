import type { RunningApp } from './app.js';

/** Imports marathons. Absent members are null. */
export async function store(
  { http }: RunningApp,
  marathons: { name: string; city?: string | null; inception_year?: number | null }[],
): Promise<void> {
  await http.post('/marathon/').send(marathons).expect(201);
}

/** Removes all marathons with their history, and begins with the id 1 again. */
export async function emptyRegistry({ database }: RunningApp): Promise<void> {
  await database.query(
    'TRUNCATE marathon, journal, journal_request RESTART IDENTITY; UPDATE journal_head SET seq = 0; UPDATE journal_retention SET history_from = NULL, history_seq = 0, pruned_seq = 0, keys_seq = 0',
  );
}
