import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

/** Texts at the limits of every rule: PostgreSQL validates imports, class-validator single marathons. */
const NAMES = [
  'Boston',
  '',
  ' ',
  '\u{a0}\u{3000}\u{feff}',
  '\u{200b}',
  ' x ',
  '\u{85}x',
  'a'.repeat(100),
  'a'.repeat(101),
  ` ${'a'.repeat(100)} `,
  'é'.repeat(100),
  'é'.repeat(101),
  '😀'.repeat(100),
  '😀'.repeat(101),
  `a${'é'.repeat(100)}`,
  '\u{301}',
  "Robert'); DROP TABLE marathon;--",
];
const YEARS = [
  '1',
  '0',
  '-1',
  '+1',
  '9999',
  '10000',
  '01897',
  '1897.0',
  '1e3',
  '１８９７',
  ' 1897 ',
  'x',
];

describe('an import validates rows as a single POST does', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  const create = async (marathon: object) => running.http.post('/marathon/').send(marathon);
  const importOne = async (marathon: object) =>
    running.http
      .post('/marathon/')
      .set('Content-Type', 'application/x-ndjson')
      .send(JSON.stringify(marathon));
  const last = async () => {
    const { body } = await running.http.get('/marathon/');
    const { id, ...marathon } = body.marathon_list.at(-1);
    return { id: Number(id), marathon };
  };

  const alone = [
    ...NAMES.map((name) => ({ name })),
    ...NAMES.map((city) => ({ name: 'x', city })),
    ...YEARS.map((year) => ({ name: 'x', inception_year: Number(year) })),
  ];

  it.each(alone)('%j', async (marathon) => {
    const single = await create(marathon);
    const kept = single.status === 201 ? await last() : undefined;
    const imported = await importOne(marathon);
    expect(imported.status).toBe(single.status);
    if (kept) {
      const stored = await last();
      expect(stored.marathon).toEqual(kept.marathon);
      expect(stored.id).toBeGreaterThan(kept.id);
    } else {
      const errors = single.body.errors.map((issue: object) => ({ line: 1, ...issue }));
      expect(imported.body.errors).toEqual(errors);
    }
  });

  it.each(YEARS)('accepts or rejects the year "%s" in CSV', async (year) => {
    const csv = running.http.post('/marathon/').set('Content-Type', 'text/csv');
    const { status } = await csv.send(`name,inception_year\nx,${year}\n`);
    const isGood = /^\s*\d+(\.0*)?\s*$/.test(year) && Number(year) >= 1 && Number(year) <= 9999;
    expect(status).toBe(isGood ? 201 : 400);
    if (isGood) expect((await last()).marathon.inception_year).toBe(Number(year));
  });
});
