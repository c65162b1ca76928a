import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { findRoutes } from './support/routes.js';
import { authorize } from './support/keys.js';

type Columns = 'reader' | 'writer' | 'admin' | 'none';
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

const PAGE = readFileSync(new URL('../docs/deployment.md', import.meta.url), 'utf8');
const ROW =
  /^\| `([A-Z]+) (\S+)`(, with `max-affected`)? *\| (\S+) *\| (\S+) *\| (\S+) *\| (\S+) *\| (\S+) *\|$/gm;

/** The documented table: what each request is answered without a key, and for each role. */
const ROWS = [...PAGE.matchAll(ROW)].map(([, method, path, limit, keys, closed, ...roles]) => ({
  method: method!.toLowerCase() as Method,
  path: path!,
  hasLimit: limit !== undefined,
  expected: {
    keys: keys!,
    closed: closed!,
    reader: roles[0]!,
    writer: roles[1]!,
    admin: roles[2]!,
  },
}));

const BODIES: Record<string, object> = {
  'post /marathon': aMarathon(),
  'put /marathon/:id': aMarathon(),
  'patch /marathon/:id': { city: 'Rome' },
  'patch /marathon?id=eq.1': { city: 'Rome' },
  'patch /marathon?id=gt.1': { city: 'Rome' },
  'post /keys': { name: 'Club', role: 'writer' },
};

describe.each(['keys', 'closed'] as const)('ACCESS=%s', (access) => {
  let running: RunningApp;
  let headers: Record<Columns, Record<string, string>>;
  let revocableId: number;

  beforeAll(async () => {
    running = await startApp({ ACCESS: access });
    headers = {
      none: {},
      reader: (await authorize(running, 'reader')).header,
      writer: (await authorize(running, 'writer')).header,
      admin: (await authorize(running, 'admin')).header,
    };
  });
  afterAll(async () => running.close());

  const prepare = async () => {
    const rows = [1, 2, 3].map((id) => ({ id, ...aMarathon() }));
    await running.http
      .post('/marathon/?on_conflict=id')
      .set(headers.admin)
      .set('Prefer', 'resolution=merge-duplicates')
      .send(rows)
      .expect(201);
    revocableId = (await authorize(running, 'reader', 'revocable')).id;
  };

  const changeOne = async () => {
    const path = '/marathon/?id=eq.2';
    const changed = await running.http.patch(path).set(headers.admin).send({ city: 'Oslo' });
    return changed.headers['change-range'];
  };

  const send = async ({ method, path, hasLimit }: (typeof ROWS)[number], who: Columns) => {
    await prepare();
    const isRestore = path.endsWith(':id/restore');
    if (isRestore) {
      await running.http.delete('/marathon/3').set(headers.admin).expect(204);
    }
    const id = path.startsWith('/keys') ? revocableId : isRestore ? 3 : 1;
    const name = path.startsWith('/problems') ? 'not-found' : '';
    const address = path
      .replace(':id', String(id))
      .replace(':name', name)
      .replace(/restore$/, isRestore ? 'restore' : `restore?changes=${await changeOne()}`)
      .replace(':file', path.startsWith('/docs') ? 'start.js' : 'licenses.txt');
    const request = running.http[method](address).set(headers[who]);
    if (hasLimit) request.set('Prefer', 'max-affected=100');
    const { status, headers: sent } = await request.send(BODIES[`${method} ${path}`]);
    if (status === 401) expect(sent['www-authenticate']).toMatch(/^Bearer realm=/);
    return status < 300 ? '✓' : String(status);
  };

  it.each(ROWS.map((row) => [row.method.toUpperCase(), row.path, row] as const))(
    'answers %s %s as documented',
    async (_method, _path, row) => {
      const { expected } = row;
      const answered = {
        [access]: await send(row, 'none'),
        reader: await send(row, 'reader'),
        writer: await send(row, 'writer'),
        admin: await send(row, 'admin'),
      };
      const { reader, writer, admin } = expected;
      expect(answered).toEqual({ [access]: expected[access], reader, writer, admin });
    },
  );

  it('documents every route', async () => {
    const documented = new Set(ROWS.map(({ method, path }) => `${method} ${path.split('?')[0]}`));
    expect([...documented].toSorted()).toEqual((await findRoutes(running)).toSorted());
  });

  it('answers OPTIONS without a key', async () => {
    await running.http.options('/marathon/').expect(204);
  });

  it('asks for the key before it reads the body or the parameters', async () => {
    const { body } = await running.http
      .post('/marathon/?nonsense=1')
      .set('Content-Type', 'application/xml')
      .send('<a/>')
      .expect(401);
    expect(body).toMatchObject({ code: 'key_required' });
  });
});
