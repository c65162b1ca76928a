import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const CSV = Buffer.from('name;city\nZürich Marathon;Zürich\n');
const MALFORMED =
  '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname\nA';

describe('a form with a file', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp({ MAX_UPLOAD_MB: '1' })));
  afterAll(async () => running.close());
  beforeEach(async () => void (await running.http.delete('/marathon/?id=gt.0').expect(200)));

  const post = (query = '') => running.http.post(`/marathon/${query}`);
  const names = async () => {
    const { body } = await running.http.get('/marathon/?select=name');
    return body.marathon_list.map(({ name }: { name: string }) => name);
  };

  it.each([
    ['list.csv', 'application/octet-stream', CSV],
    ['list.CSV', 'application/vnd.ms-excel', CSV],
    ['list', 'text/csv', CSV],
    ['list.ndjson', 'application/octet-stream', Buffer.from('{"name":"Zürich Marathon"}')],
    ['list.json', 'application/json', Buffer.from('[{"name":"Zürich Marathon"}]')],
  ])('is an import: %s as %s', async (filename, contentType, file) => {
    const counts = { inserted: 1, updated: 0, skipped: 0 };
    await post().attach('file', file, { filename, contentType }).expect(201, counts);
    expect(await names()).toEqual(['Zürich Marathon']);
  });

  it('takes the parameters and headers of an import', async () => {
    const text = Buffer.from('Race,Web\nA,x\nB,y\n');
    const form = post('?columns=name:Race').set('Prefer', 'tx=rollback').attach('f', text, 'a.csv');
    await form.expect(201, { inserted: 2, updated: 0, skipped: 0 });
    expect(await names()).toEqual([]);
  });

  it('reports the lines of invalid rows', async () => {
    const { body } = await post().attach('file', Buffer.from('name\nA\n""\n'), 'a.csv').expect(400);
    expect(body.errors).toMatchObject([{ line: 3, pointer: '#/name' }]);
  });

  it.each([
    ['no file', () => post().field('name', 'x'), 'The form has the field "name".'],
    [
      'two files',
      () => post().attach('a', CSV, 'a.csv').attach('b', CSV, 'b.csv'),
      'than one file',
    ],
    ['a field too', () => post().attach('a', CSV, 'a.csv').field('b', 'x'), 'the field "b"'],
    [
      'an unknown type',
      () => post().attach('a', CSV, 'a.xlsx'),
      'The file a.xlsx is of the type application/vnd.openxmlformats-officedocument.spreadsheetml.sheet. Send CSV',
    ],
    [
      'an end too early',
      () => post().set('Content-Type', 'multipart/form-data; boundary=x').send(MALFORMED),
      'The form cannot be read',
    ],
    [
      'nothing in it',
      () => post().set('Content-Type', 'multipart/form-data; boundary=x').send('--x--\r\n'),
      'The form has no file.',
    ],
    [
      'an empty boundary',
      () => post().set('Content-Type', 'multipart/form-data; boundary=').send('x'),
      'The form cannot be read',
    ],
    [
      'a boundary that is too long',
      () =>
        post()
          .set('Content-Type', `multipart/form-data; boundary=${'x'.repeat(300)}`)
          .send('x'),
      'The form cannot be read',
    ],
    [
      'no boundary',
      () => post().set('Content-Type', 'multipart/form-data').send('x'),
      'The form cannot be read',
    ],
  ])('is rejected with %s', async (_, send, reason) => {
    const { body } = await send().expect(400);
    expect(body).toMatchObject({ code: 'invalid_upload', detail: expect.stringContaining(reason) });
    expect(await names()).toEqual([]);
  });

  it('is rejected above MAX_UPLOAD_MB', async () => {
    const large = Buffer.from(`name\n${'Boston\n'.repeat(200_000)}`);
    await post().attach('file', large, 'a.csv').expect(413);
    expect(await names()).toEqual([]);
  });

  it('is accepted for imports only', async () => {
    await running.http.patch('/marathon/?id=gt.0').attach('file', CSV, 'a.csv').expect(415);
  });
});
