import type { RunningApp } from './app.js';

/** Stores marathons as one file; what a row leaves out is null. */
export async function store(
  { http }: RunningApp,
  marathons: { name: string; city?: string | null; inception_year?: number | null }[],
): Promise<void> {
  await http.post('/marathon/').send(marathons).expect(201);
}
