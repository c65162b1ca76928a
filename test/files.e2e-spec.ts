import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const CSV = 'text/csv';
const BOSTON = ['Boston', 'Hopkinton', 1897];

describe('a file', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => void (await running.http.delete('/marathon/?id=gt.0').expect(200)));

  const send = (type: string, body: string | Buffer, query = '') =>
    running.http.post(`/marathon/${query}`).set('Content-Type', type).send(body);
  const rows = async () => {
    const { body } = await running.http.get('/marathon/?select=name,city,inception_year');
    return body.marathon_list.map(Object.values);
  };

  it.each([
    ['column names in other letters', 'NAME,City,Inception Year\nBoston,Hopkinton,1897\n'],
    ['hyphens and spaces in names', ' Name ; city;inception-year\nBoston;Hopkinton;1897\n'],
    ['sep=;', 'sep=;\nname;city;inception_year\nBoston;Hopkinton;1897\n'],
    ['"sep=|" and a mark', '\u{feff}"sep=|"\r\nname|city|inception_year\r\nBoston|Hopkinton|1897'],
    ['bars', 'name|city|inception_year\nBoston|Hopkinton|1897\n'],
    [
      'blank lines before the header',
      '\n , ,\n\nname,city,inception_year\nBoston,Hopkinton,1897\n',
    ],
    ['empty columns at the end', 'name,city,inception_year,,\nBoston,Hopkinton,1897,, \n'],
    ['separators at the end of rows', 'name,city,inception_year\nBoston,Hopkinton,1897,,,\n'],
    ['fewer separators than the header', 'name,city,inception_year,,\nBoston,Hopkinton,1897\n'],
    ['an empty column in between', 'name,,city,inception_year\nBoston,,Hopkinton,1897\n'],
    ['years with a decimal point', 'name,city,inception_year\nBoston,Hopkinton,1897.0\n'],
    [
      'separators in a quoted name',
      '"name","city","inception_year"\n"Boston","Hopkinton","1897"\n',
    ],
  ])('may have %s', async (_, text) => {
    await send(CSV, text).expect(201);
    expect(await rows()).toEqual([BOSTON]);
  });

  it('distinguishes null and text by quotes', async () => {
    const text = 'name,city,inception_year\na,NULL,NULL\nb,"NULL",\nc,"",""\nd,,\ne,n/a,\n';
    await send(CSV, text, '?null=n/a').expect(201);
    expect(await rows()).toEqual([
      ['a', null, null],
      ['b', 'NULL', null],
      ['c', '', null],
      ['d', null, null],
      ['e', null, null],
    ]);
    const { body } = await send(CSV, 'name\n""\nNULL\n').expect(400);
    expect(body.errors.map(({ line }: { line: number }) => line)).toEqual([2, 3]);
  });

  it.each([
    ['utf-16le', 'utf16le', '\u{feff}', CSV],
    ['utf-16le', 'utf16le', '', `${CSV}; charset=utf-16le`],
    ['windows-1252', 'latin1', '', `${CSV}; charset="Windows-1252"`],
    ['utf-8', 'utf8', '', `${CSV}; charset=utf-8`],
    ['no name', 'utf8', '\u{feff}', CSV],
  ])('may be in %s', async (_, encoding, mark, type) => {
    const text = `${mark}name,city\n"Zürich Marathon","Zürich, ß"\n`;
    await send(type, Buffer.from(text, encoding as BufferEncoding)).expect(201);
    expect(await rows()).toEqual([['Zürich Marathon', 'Zürich, ß', null]]);
  });

  it('may be in UTF-16 with big-endian bytes, and in an encoding of several bytes', async () => {
    await send(CSV, Buffer.from('\u{feff}name\n東京\n', 'utf16le').swap16()).expect(201);
    const shiftJis = Buffer.from('6e616d650a938c8b9e0a', 'hex');
    await send(`${CSV}; charset=shift_jis`, shiftJis).expect(201);
    expect((await rows()).map(([name]: string[]) => name)).toEqual(['東京', '東京']);
  });

  it.each([
    ['an unknown encoding', `${CSV}; charset=klingon`, 'name\nx\n', 'is not known'],
    ['another encoding than it says', `${CSV}; charset=utf-16le`, 'abc', 'is not in the'],
    ['Latin letters that are not UTF-8', CSV, Buffer.from('name\né\n', 'latin1'), 'charset='],
  ])('is rejected with %s', async (_, type, body, advice) => {
    const answer = await send(type, body).expect(400);
    expect(JSON.stringify(answer.body)).toContain(advice);
    expect(await rows()).toEqual([]);
  });

  it.each([
    ['name:Race,city:"Host city",inception_year:First', 'Race,Host city,First,Web\n'],
    ['name:race,city:host_city,inception_year:FIRST', 'Race,Host city,First,Web\n'],
    ['name:"Race, \\"old\\"",city:Town,inception_year', '"Race, ""old""",Town,Inception Year,x\n'],
  ])('has its columns chosen and renamed by columns=%s', async (columns, header) => {
    const text = `${header}Boston,Hopkinton,1897,http://example.org\n`;
    await send(CSV, text, `?columns=${encodeURIComponent(columns)}`).expect(201);
    expect(await rows()).toEqual([BOSTON]);
  });

  it.each([
    ['application/json', '[{"Race":"Boston","city":"Hopkinton","web":1,"Founded":1897}]'],
    ['application/x-ndjson', '{"Race":"Boston","city":"Hopkinton","web":1,"Founded":1897}\n'],
  ])('has its members chosen and renamed in %s', async (type, body) => {
    await send(type, body, '?columns=name:Race,city,inception_year:Founded').expect(201);
    expect(await rows()).toEqual([BOSTON]);
  });

  it('has the members of a single object chosen', async () => {
    const object = { Race: 'Boston', city: 'Hopkinton', web: 1, inception_year: 1897 };
    const query = '?columns=name:Race,"city",inception_year';
    const { body } = await running.http.post(`/marathon/${query}`).send(object).expect(201);
    expect(Object.keys(body)).toEqual(['id']);
    expect(await rows()).toEqual([BOSTON]);
  });

  it.each([
    ['name:', 'a name was expected'],
    ['nam:Race', 'did you mean name?'],
    ['name,name:Race', 'named twice'],
    ['name:Race;city', 'names "Race;city"'],
    ['city:Race', 'lacks the column name'],
    ['name:Rase', 'the columns of the file are Race, City'],
  ])('is rejected with columns=%s', async (columns, detail) => {
    const query = `?columns=${encodeURIComponent(columns)}`;
    const { body } = await send(CSV, 'Race,City\nBoston,Hopkinton\n', query).expect(400);
    expect(body.detail).toContain(detail);
  });

  it.each([
    ['unknown columns', 'Race,City,Web\nx,y,z\n', 'columns=name:Race,city:City.'],
    ['a column of two words', 'Race name,city\nx,y\n', 'columns=name:"Race name",city:city'],
    ['a column twice', 'Name,name\nx,y\n', 'names name twice'],
    ['no header', 'Boston,Hopkinton,1897\nx,y,1\n', 'looks like data: Boston,Hopkinton,1897'],
    ['a value without a name', 'name,\nx,y\n', 'a column without a name'],
    ['a value after the last column', 'name,city\nx,y,z\n', 'has 3 fields, and the header 2'],
    ['a missing value', 'name,city\nx\n', 'has 1 fields, and the header 2'],
  ])('is rejected with %s, and the next step', async (_, text, advice) => {
    const { body } = await send(CSV, text).expect(400);
    expect(JSON.stringify(body)).toContain(advice.replaceAll('"', '\\"'));
    expect(await rows()).toEqual([]);
  });

  it('counts its lines from its first one', async () => {
    const text = 'sep=;\n\nname;"inception\nyear"\nBoston;1897\nParis;x\n';
    const { body } = await send(CSV, text).expect(400);
    expect(body.errors[0].line).toBe(6);
  });

  it.each(['city=eq.x', '"city"=eq.x', 'limit=1'])('is not stored with %s', async (query) => {
    const { body } = await send(CSV, 'name\nx\n', `?${query}`).expect(400);
    expect(body.detail).toContain('is not possible here');
    expect(await rows()).toEqual([]);
  });

  it('may be an object with a list that columns= does not name', async () => {
    const body = JSON.stringify({ name: 'Boston', tags: ['city'] });
    await send('application/json', body, '?columns=name').expect(201);
    expect(await rows()).toEqual([['Boston', null, null]]);
    const { body: problem } = await send('application/json', body).expect(400);
    expect(problem.detail).toContain('an object with the list "tags"');
  });

  it('may be an empty array', async () => {
    const { body } = await send('application/json', ' [ ] ').expect(201);
    expect(body).toEqual({ inserted: 0, updated: 0, skipped: 0 });
    const merged = await send('application/json', '[]', '?on_conflict=name,city')
      .set('Prefer', 'resolution=merge-duplicates, return=representation')
      .expect(201);
    expect(merged.body).toEqual({ marathon_list: [] });
    const shown = await send('application/json', '[]').set('Prefer', 'return=representation');
    expect(shown.body).toEqual({ marathon_list: [] });
  });

  it('may be a list as the service sends it', async () => {
    const list = JSON.stringify({ marathon_list: [{ name: 'Boston', city: 'Hopkinton' }] });
    await send('application/json', `\n${list} \n`).expect(201);
    await send('application/json', '{ "marathon_list" : [ ] }').expect(201);
    expect(await rows()).toEqual([['Boston', 'Hopkinton', null]]);
  });

  it.each([
    ['another list', '{"races":[{"name":"x"}]}', 'the list "races"'],
    ['a list that never ends', '{"marathon_list":[{"name":"x"}]', 'never ends'],
    ['more after the list', '{"marathon_list":[{"name":"x"}],"a":1}', 'Text follows'],
  ])('is rejected with %s', async (_, text, detail) => {
    const { body } = await send('application/json', text).expect(400);
    expect(body.detail).toContain(detail);
    expect(await rows()).toEqual([]);
  });
});
