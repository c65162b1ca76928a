import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from './support/database.js';
import { itWithFullDisk, runProgram, startOnFullDisk, startProgram } from './support/service.js';

const REAL_MARATHONS = 'data/marathons.csv';

describe('the command line', () => {
  let database: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'marathon-csv-'));
    await command('schema', 'sync');
  });
  beforeEach(async () => void (await database.query('DELETE FROM marathon')));
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const command = async (...words: string[]) =>
    runProgram('cli.js', words, { DATABASE_URL: database.url });

  const exported = async (...words: string[]) => (await command('export', ...words)).output;

  const startCommand = (...words: string[]) =>
    startProgram('cli.js', words, { DATABASE_URL: database.url });

  const importText = async (text: string, duplicates?: string) => {
    const file = join(folder, 'marathons.csv');
    await writeFile(file, text);
    return command('import', file, ...(duplicates ? ['--duplicates', duplicates] : []));
  };

  it('imports the sample and exports it again, byte for byte', async () => {
    const { output } = await command('import', REAL_MARATHONS);
    expect(output).toBe(
      `${REAL_MARATHONS}: CSV in utf-8; separated by commas; columns name, city, inception_year\n` +
        '102 rows are valid.\n102 marathons imported.\n',
    );
    const copy = join(folder, 'copy.csv');
    await command('export', copy, 'select=name,city,inception_year');
    expect(await readFile(copy, 'utf8')).toBe(await readFile(REAL_MARATHONS, 'utf8'));
  });

  it('exports with the parameters of a list, in several formats', async () => {
    await importText('id,name,city\n7,=1,Berlin\n3,B,Boston\n8,C,Berlin\n');
    expect(await exported()).toBe(
      'id,name,city,inception_year\n3,B,Boston,\n7,=1,Berlin,\n8,C,Berlin,\n',
    );
    expect(
      await exported('city=eq.Berlin', 'order=name.desc', 'select=id', '--format', 'ndjson'),
    ).toBe('{"id":8}\n{"id":7}\n');
    expect(await exported('q=berlin', 'limit=1', 'select=name', '--format', 'json')).toMatch(
      /^\{"marathon_list":\[\{"name":"[=1C]+"\}\]\}$/,
    );
    expect(await exported('select=name', 'limit=2', '--safe')).toBe("name\nB\n'=1\n");
    const file = join(folder, 'list.json');
    await exported(file, 'id=eq.3', 'select=id');
    expect(await readFile(file, 'utf8')).toBe('{"marathon_list":[{"id":3}]}');
  });

  it('updates existing marathons by id', async () => {
    await importText('id,name\n7,A\n');
    const file = join(folder, 'marathons.csv');
    await writeFile(file, 'id,name\n7,B\n');
    const update = await command('import', file, '--duplicates', 'merge', '--on-conflict', 'id');
    expect(update.output).toContain('0 marathons imported, 1 updated, 0 skipped.');
    expect((await command('export', 'select=id,name')).output).toBe('id,name\n7,B\n');
  });

  it('reports every invalid row with its line, and stores none', async () => {
    const { exitCode, stderr } = await importText('name,inception_year\nGood,1970\n,1\nBad,18x\n');
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'line 3: name must be text\n' +
        'line 4: inception_year must be a whole number from 1 to 9999, or null\n' +
        '2 rows were rejected; nothing was stored.\n',
    );
    expect(await database.query('SELECT * FROM marathon')).toEqual([]);
  });

  it('stores nothing with --dry-run', async () => {
    const { output } = await command('import', REAL_MARATHONS, '--dry-run');
    expect(output).toContain('\n102 marathons imported (dry run: nothing was stored).\n');
    expect(output).not.toContain('--duplicates');
    expect(await database.query('SELECT * FROM marathon')).toEqual([]);
  });

  it('updates or skips existing marathons', async () => {
    await importText('name,city,inception_year\nBoston,Boston,1897\n');
    const next = 'name,city,inception_year\nBoston,Boston,1898\nBerlin,Berlin,1974\n';
    const summaryOf = async (duplicates: string) => (await importText(next, duplicates)).output;
    expect(await summaryOf('ignore')).toContain('\n1 marathons imported, 0 updated, 1 skipped.\n');
    expect(await summaryOf('merge')).toContain('\n0 marathons imported, 1 updated, 1 skipped.\n');
  });

  it('says with --dry-run how many marathons exist', async () => {
    const text = 'name,city\nBoston,Boston\nBerlin,Berlin\n';
    const file = join(folder, 'twice.csv');
    await writeFile(file, text);
    await command('import', file);
    const { output } = await command('import', file, '--dry-run');
    expect(output).toContain('2 of them have the name and city of an existing marathon');
  });

  it('imports several files, with chosen columns, another encoding and another null', async () => {
    const [first, second] = [join(folder, 'first.txt'), join(folder, 'second.tsv')];
    await writeFile(first, Buffer.from('Race;Host city;Web\nZürich;n/a;x\n', 'latin1'));
    await writeFile(second, Buffer.from('Race\tHost city\nGenève\tGenève\n', 'latin1'));
    const options = ['--columns', 'name:Race,city:"Host city"', '--encoding', 'windows-1252'];
    const { output } = await command('import', first, second, ...options, '--null', 'n/a');
    expect(output).toBe(
      `${first}: CSV in windows-1252; separated by semicolons; columns name (Race), city (Host city); ignored Web\n` +
        '1 row is valid.\n1 marathons imported.\n' +
        `${second}: CSV in windows-1252; separated by tabs; columns name (Race), city (Host city)\n` +
        '1 row is valid.\n1 marathons imported.\n',
    );
    expect(await database.query('SELECT name, city FROM marathon ORDER BY id')).toEqual([
      { name: 'Zürich', city: null },
      { name: 'Genève', city: 'Genève' },
    ]);
  });

  it('imports the standard input', async () => {
    const { ended, stdin } = startCommand('import', '-', '--format', 'ndjson');
    stdin.end('{"name":"Boston"}\n');
    expect((await ended).output).toContain('1 marathons imported.');
  });

  it('prints its version and its commands', async () => {
    expect((await command('--version')).output).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const word of ['help', '--help']) {
      expect((await command(word)).output).toContain('import FILE');
    }
  });

  it.each([
    ['a column nobody knows', 'name,town\nx,y\n', 'There is no column "town"'],
    ['a mistyped column', 'Nme\nx\n', 'did you mean name?'],
    ['a row with too many fields', 'name,city\nx,y,z\n', 'line 2: has 3 fields, and the header 2'],
    ['UTF-16', '\u{feff}n\0a\0m\0e\0', 'Save it as UTF-8'],
    ['a file without rows', 'name\n', 'There are no rows'],
  ])('rejects %s', async (_, text, reason) => {
    const { exitCode, stderr } = await importText(text);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(reason) });
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    [['imprt'], 'did you mean import?'],
    [['import'], 'Name the file to import.'],
    [['import', 'nowhere.csv'], 'nowhere.csv'],
    [['import', 'marathons.xlsx'], '--format csv'],
    [['import', '-'], '--format csv'],
    [['import', REAL_MARATHONS, '--format', 'xml'], 'csv'],
    [['import', REAL_MARATHONS, '--columns', 'nam:Race'], 'did you mean name?'],
    [['import', REAL_MARATHONS, '--encoding', 'klingon'], 'is not known'],
    [['export', 'a.csv', 'b.csv'], 'export does not take b.csv'],
    [['export', '--format', 'xml'], 'csv'],
    [['export', 'a.json', '--safe'], '--safe is for CSV only'],
    [['export', 'citty=eq.x'], 'did you mean city?'],
    [['export', '--dry-run'], 'export does not take --dry-run'],
    [['import', REAL_MARATHONS, '--on-conflict', 'id'], '--duplicates merge'],
    [['shell', '--dry-run'], 'shell does not take --dry-run'],
    [['import', REAL_MARATHONS, '--duplicates', 'merg'], 'did you mean merge?'],
    [['import', REAL_MARATHONS, '--dry-rum'], '--dry-rum'],
    [['schema', 'drop'], 'Use schema sync or schema check.'],
  ])('answers %j with advice', async (words, help) => {
    const { exitCode, stderr } = await command(...words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(help) });
    expect(stderr).not.toContain('    at ');
  });

  it('creates, lists and revokes API keys', async () => {
    const created = await command(
      'key',
      'create',
      '--role',
      'writer',
      '--name',
      'Club',
      '--expires',
      '90d',
    );
    expect(created.output).toMatch(/^mr_[0-9A-Za-z]{49}\n$/);
    expect(created.stderr).toContain('It is not shown again');
    const listed = await command('key', 'list');
    const id = /│ (\d+) +│ 'Club' │ 'writer' │/.exec(listed.output)?.[1];
    expect(listed.output).not.toContain(created.output.trim());
    expect((await command('key', 'revoke', id!)).output).toBe(`The key ${id} is revoked.\n`);
    const [stored] = await database.query(
      `SELECT revoked_at IS NOT NULL AS revoked,
              round(extract(epoch FROM expires_at - created_at) / 86400)::integer AS days FROM api_key`,
    );
    expect(stored).toEqual({ revoked: true, days: 90 });
  });

  itWithFullDisk.each([
    ['key', 'create', '--role', 'reader', '--name', 'Lost'],
    ['key', 'list'],
    ['--help'],
  ])('fails if its output cannot be written: %s %s', async (...words) => {
    const settings = { DATABASE_URL: database.url };
    const program = await startOnFullDisk('cli.js', words, settings);
    expect(await program.ended).toBe(1);
    expect(await program.errors).toContain('The output cannot be written: ENOSPC');
  });

  it.each([
    [['key'], 'Use key create, key list or key revoke.'],
    [['key', 'creat'], 'did you mean create?'],
    [['key', 'create', '--role', 'owner'], '--name is required; --role must be one of reader'],
    [['key', 'create', '--expires', 'soon'], '--expires takes a number of days'],
    [['key', 'revoke'], 'Name the ids of the keys to revoke'],
    [['key', 'revoke', 'x'], 'x: an id is a whole number'],
    [['key', 'revoke', '77'], 'There is no API key 77.'],
    [['key', 'list', '--format', 'csv'], 'key does not take --format.'],
  ])('explains what is wrong with %j', async (words, message) => {
    const { exitCode, stderr } = await command(...words);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });
});
