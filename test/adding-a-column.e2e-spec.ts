import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from './support/database.js';
import { runProgram, startService } from './support/service.js';

const ROOT = join(import.meta.dirname, '..');
const COPIED = ['src', 'docs', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const ENTITY = 'src/marathon/marathon.entity.ts';
const MIGRATION = 'src/migrations/1900000000000-add-country.ts';

/** The code blocks of the worked example in docs/development.md: the column, and the migration. */
async function workedExample(): Promise<{ column: string; migration: string }> {
  const page = await readFile(join(ROOT, 'docs/development.md'), 'utf8');
  const section = page.split('## Adding a column')[1]!.split('\n## ')[0]!;
  const [column, migration] = [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
  return { column: column!, migration: migration! };
}

async function applyExample(folder: string): Promise<void> {
  const { column, migration } = await workedExample();
  const entity = await readFile(join(folder, ENTITY), 'utf8');
  const version = '  /** Counts the changes';
  await writeFile(join(folder, ENTITY), entity.replace(version, `${column}\n${version}`));
  await writeFile(
    join(folder, MIGRATION),
    `import type { MigrationInterface, QueryRunner } from 'typeorm';
     export class AddCountry1900000000000 implements MigrationInterface {
       name = 'AddCountry1900000000000';
       async up(runner: QueryRunner) { ${migration} }
       async down(runner: QueryRunner) {
         await runner.query('ALTER TABLE marathon DROP COLUMN country');
       }
     }`,
  );
}

/** A copy of the source with the worked example, built. */
async function buildExample(): Promise<string> {
  const folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER!, 'column-'));
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await applyExample(folder);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: folder });
  return folder;
}

describe('the column country, added as docs/development.md says,', () => {
  let folder: string;
  let database: TestDatabase;
  let url: string;
  const boston = { name: 'Boston Marathon', city: 'Boston', inception_year: 1897, country: 'USA' };
  beforeAll(async () => {
    [folder, database] = await Promise.all([buildExample(), createDatabase()]);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const send = async (path: string, options: RequestInit = {}) =>
    (await fetch(`${url}/marathon/${path}`, options)).json() as Promise<Record<string, unknown>>;
  const post = async (path: string, type: string, body: string) =>
    send(path, { method: 'POST', headers: { 'Content-Type': type }, body });

  it('is in every answer, filter, import, history, search, anniversary and statistic', async () => {
    const program = join(folder, 'dist/src/main.js');
    const settings = { DATABASE_URL: database.url, DB_SCHEMA: 'migrate' };
    ({ url } = await startService(settings, {}, undefined, program));
    await post('', 'application/json', JSON.stringify(boston));
    await post('', 'text/csv', 'name,country,inception_year\nParis,France,1977\n');

    const first = { id: 1, ...boston };
    expect(await send('1')).toEqual(first);
    expect(await send('?country=eq.USA')).toEqual({ marathon_list: [first] });
    expect(await send('?select=country&order=country')).toEqual({
      marathon_list: [{ country: 'France' }, { country: 'USA' }],
    });
    expect(await send('?q=usa')).toEqual({ marathon_list: [first] });
    expect(await send('anniversaries?year=1997')).toMatchObject({
      marathon_list: [{ ...first, years: 100 }, { country: 'France' }],
    });
    expect(await send('stats')).toMatchObject({ oldest: first, newest: { country: 'France' } });
    expect(await send('1/history')).toMatchObject({ history: [{ marathon: first }] });
    const invalid = await post('', 'application/json', '{"name":"x","country":7}');
    expect(invalid.errors).toEqual([{ pointer: '#/country', detail: 'must be text, or null' }]);
  });

  it('is the same in the migration and in the entity', async () => {
    const settings = { DATABASE_URL: database.url };
    const program = join(folder, 'dist/src/cli.js');
    const { output } = await runProgram(program, ['schema', 'check'], settings);
    expect(output).toBe('The schema is up to date.\n');
  });
});
