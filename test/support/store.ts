import type { RunningApp } from './app.js';

/** Imports marathons. Absent members are null. */
export async function store(
  { http }: RunningApp,
  marathons: { name: string; city?: string | null; inception_year?: number | null }[],
): Promise<void> {
  await http.post('/marathon/').send(marathons).expect(201);
}
