import { absent, different, prefer, rejected, ROWS, same, send, type Section } from './feature.js';

const DOCS = 'https://docs.postgrest.org/en/stable/references/api';
const ROME = { name: 'Maratona di Roma', city: 'Roma', inception_year: 1982 };
const [BOSTON, BERLIN] = ROWS;
const REPRESENTATION = prefer('return=representation');
const EMPTY = '';
const created = (more: object) => ({ status: 201, ...more });
const CSV = { 'Content-Type': 'text/csv' };

export const WRITING: Section[] = [
  {
    title: 'Insert',
    page: `${DOCS}/tables_views.html#insert`,
    features: [
      same('One row', send('POST', '', ROME), created({ body: EMPTY, stored: [1, 2, 3, 4, 5, 6] })),
      same(
        '`return=minimal`',
        send('POST', '', ROME, prefer('return=minimal')),
        created({ body: EMPTY, headers: { 'preference-applied': 'return=minimal' } }),
      ),
      same(
        '`return=headers-only`',
        send('POST', '', ROME, prefer('return=headers-only')),
        created({ body: EMPTY, headers: { 'preference-applied': 'return=headers-only' } }),
      ),
      same(
        '`return=representation`',
        send('POST', '', ROME, REPRESENTATION),
        created({ body: [{ id: 6, ...ROME }] }),
      ),
      same(
        '`return=representation` with `select`',
        send('POST', '?select=id,city', ROME, REPRESENTATION),
        created({ body: [{ id: 6, city: 'Roma' }] }),
      ),
      same(
        'A single object',
        send('POST', '', ROME, { ...REPRESENTATION, Accept: 'application/vnd.pgrst.object+json' }),
        created({ body: { id: 6, ...ROME } }),
      ),
      same(
        'Many rows',
        send('POST', '', [ROME, { name: 'B' }]),
        created({ body: EMPTY, stored: [1, 2, 3, 4, 5, 6, 7] }),
      ),
      same(
        'Many rows, with the rows',
        send('POST', '?select=name', [ROME, { name: 'B' }], REPRESENTATION),
        created({ body: [{ name: ROME.name }, { name: 'B' }] }),
      ),
      same('All rows or none', send('POST', '', [ROME, { name: '' }]), {
        ...rejected('invalid_rows'),
        stored: [1, 2, 3, 4, 5],
      }),
      same('An empty array', send('POST', '', [], REPRESENTATION), created({ body: [] })),
      same(
        'CSV',
        send('POST', '', 'name,city\nA,B\n', CSV),
        created({ stored: [1, 2, 3, 4, 5, 6] }),
      ),
      same(
        '`NULL` in CSV',
        send('POST', '?select=city', 'name,city\nA,NULL\n', { ...CSV, ...REPRESENTATION }),
        created({ body: [{ city: null }] }),
      ),
      same(
        '`columns`',
        send('POST', '?columns=name', { name: 'A', other: 1 }),
        created({ stored: [1, 2, 3, 4, 5, 6] }),
      ),
      same(
        '`columns` of many rows',
        send(
          'POST',
          '?columns=name,city&select=city',
          [{ name: 'A', city: 'B', x: 1 }],
          REPRESENTATION,
        ),
        created({ body: [{ city: 'B' }] }),
      ),
      same(
        '`columns` in quotes',
        send('POST', '?columns="name"', [{ name: 'A', x: 1 }]),
        created({}),
      ),
      same(
        '`missing=default`',
        send('POST', '', [{ name: 'A' }], prefer('missing=default')),
        created({ headers: { 'preference-applied': 'missing=default' } }),
      ),
      same(
        'An id',
        send('POST', '', { id: 90, ...ROME }),
        created({ stored: [1, 2, 3, 4, 5, 90] }),
      ),
      same(
        'An id that exists',
        send('POST', '', { id: 1, ...ROME }),
        rejected('already_exists', 409),
      ),
      same('An unknown column', send('POST', '', { nme: 'A' }), rejected('invalid_body')),
      same(
        'A required column that is missing',
        send('POST', '', { city: 'A' }),
        rejected('invalid_body'),
      ),
      same(
        'A value that does not fit',
        send('POST', '', { name: 'A', inception_year: 'x' }),
        rejected('invalid_body'),
      ),
      same(
        'A body that is not JSON',
        send('POST', '', '{', { 'Content-Type': 'application/json' }),
        rejected('malformed_json'),
      ),
      same(
        'A type that does not exist',
        send('POST', '', 'x', { 'Content-Type': 'text/plain' }),
        rejected('unsupported_media_type', 415),
      ),
      different(
        '`Location`',
        'The address of the row, `/marathon/6`, in place of a filter.',
        send('POST', '', ROME),
        created({ headers: { location: '/marathon/6' } }),
      ),
      different(
        'Text',
        'White space around text is removed.',
        send('POST', '?select=name', { name: ' A ' }, REPRESENTATION),
        created({ body: [{ name: 'A' }] }),
      ),
      absent(
        'Forms as `application/x-www-form-urlencoded`',
        'A form may hold a file, as `multipart/form-data`.',
        send('POST', '', 'name=A', { 'Content-Type': 'application/x-www-form-urlencoded' }),
        rejected('unsupported_media_type', 415),
      ),
    ],
  },
  {
    title: 'Update',
    page: `${DOCS}/tables_views.html#update`,
    features: [
      same('Rows of a filter', send('PATCH', '?city=like.B*', { city: 'X' }), {
        status: 204,
        body: EMPTY,
      }),
      same(
        '`return=representation`',
        send('PATCH', '?id=eq.1&select=id,city', { city: 'X' }, REPRESENTATION),
        { status: 200, body: [{ id: 1, city: 'X' }] },
      ),
      same(
        'In an order',
        send('PATCH', '?id=lt.3&select=id&order=id.desc', { city: 'X' }, REPRESENTATION),
        { status: 200, body: [{ id: 2 }, { id: 1 }] },
      ),
      same('Null', send('PATCH', '?id=eq.1&select=city', { city: null }, REPRESENTATION), {
        status: 200,
        body: [{ city: null }],
      }),
      same('No row', send('PATCH', '?id=eq.99', { city: 'X' }, REPRESENTATION), {
        status: 200,
        body: [],
      }),
      same('Nothing', send('PATCH', '?id=eq.1', {}, REPRESENTATION), { status: 200, body: [] }),
      same(
        '`limit` and `order`',
        send(
          'PATCH',
          '?id=gt.0&order=inception_year.desc.nullslast&limit=1&select=id',
          { city: 'X' },
          REPRESENTATION,
        ),
        { status: 200, body: [{ id: 4 }] },
      ),
      same(
        'The id of the row',
        send('PATCH', '?id=eq.1&select=city', { ...BOSTON, city: 'X' }, REPRESENTATION),
        { status: 200, body: [{ city: 'X' }] },
      ),
      same(
        'An unknown column',
        send('PATCH', '?id=eq.1', { citty: 'X' }),
        rejected('invalid_body'),
      ),
      same(
        '`max-affected` with `handling=strict`',
        send('PATCH', '?id=gt.0', { city: 'X' }, prefer('handling=strict', 'max-affected=2')),
        rejected('max_affected_exceeded'),
      ),
      different(
        '`max-affected` without `handling=strict`',
        'Is applied, too.',
        send('PATCH', '?id=gt.0', { city: 'X' }, prefer('max-affected=2')),
        rejected('max_affected_exceeded'),
      ),
      different(
        'Another id',
        'The id of a marathon cannot be changed.',
        send('PATCH', '?id=eq.1', { id: 50 }),
        rejected('invalid_body'),
      ),
      different(
        'Without a filter',
        'Is an error, which PostgREST needs an extension for.',
        send('PATCH', '', { city: 'X' }),
        rejected('missing_filter'),
      ),
      different(
        'Rows that have the values already',
        'Keep their version, and are not returned.',
        send('PATCH', '?id=lt.3&select=id', { city: 'Boston' }, REPRESENTATION),
        { status: 200, body: [{ id: 2 }] },
      ),
      absent(
        '`columns`',
        'A body has the members that change.',
        send('PATCH', '?id=eq.1&columns=city', { city: 'X' }),
        rejected('unknown_parameter'),
      ),
    ],
  },
  {
    title: 'Upsert',
    page: `${DOCS}/tables_views.html#upsert`,
    features: [
      same(
        '`resolution=merge-duplicates` by id',
        send('POST', '', [{ ...BOSTON, city: 'X' }, ROME], prefer('resolution=merge-duplicates')),
        created({ stored: [1, 2, 3, 4, 5, 6] }),
      ),
      same(
        '`resolution=merge-duplicates` of one row',
        send(
          'POST',
          '?select=city',
          { ...BOSTON, city: 'X' },
          prefer('resolution=merge-duplicates', 'return=representation'),
        ),
        created({ body: [{ city: 'X' }] }),
      ),
      same(
        '`resolution=ignore-duplicates`',
        send(
          'POST',
          '?select=id',
          [{ ...BOSTON, city: 'X' }, ROME],
          prefer('resolution=ignore-duplicates', 'return=representation'),
        ),
        created({ body: [{ id: 6 }] }),
      ),
      same(
        '`on_conflict`',
        send(
          'POST',
          '?on_conflict=name,city&select=id',
          [{ name: BERLIN!.name, city: 'Berlin', inception_year: 1975 }],
          prefer('resolution=merge-duplicates', 'return=representation'),
        ),
        created({ body: [{ id: 2 }] }),
      ),
      same(
        '`on_conflict=id`',
        send(
          'POST',
          '?on_conflict=id&select=name',
          [{ id: 5, name: 'Known' }],
          prefer('resolution=merge-duplicates', 'return=representation'),
        ),
        created({ body: [{ name: 'Known' }] }),
      ),
      same(
        'Columns that a row does not have',
        send(
          'POST',
          '?select=city',
          [{ id: 1, name: 'New' }],
          prefer('resolution=merge-duplicates', 'return=representation'),
        ),
        created({ body: [{ city: 'Boston' }] }),
      ),
      same(
        '`on_conflict` with a column that has no unique constraint',
        send('POST', '?on_conflict=city', [ROME], prefer('resolution=merge-duplicates')),
        rejected('invalid_parameter'),
      ),
      different(
        '`on_conflict` without `resolution`',
        'Is an error.',
        send('POST', '?on_conflict=name,city', [ROME]),
        rejected('invalid_preference'),
      ),
      different(
        '`name,city`',
        'Need no unique constraint. The oldest of several rows is updated.',
        send('POST', '?on_conflict=name,city', [ROME, ROME], prefer('resolution=merge-duplicates')),
        created({ stored: [1, 2, 3, 4, 5, 6] }),
      ),
      absent(
        '`PUT` with a filter',
        'Send `PUT /marathon/7` with `If-None-Match: *`.',
        send('PUT', '?id=eq.7', { id: 7, ...ROME }),
        rejected('method_not_allowed', 405),
      ),
      different(
        '`PUT` of one row',
        'By its address.',
        send('PUT', '/7', { id: 7, ...ROME }, { 'If-None-Match': '*' }),
        created({ body: { id: 7, ...ROME } }),
      ),
    ],
  },
  {
    title: 'Delete',
    page: `${DOCS}/tables_views.html#delete`,
    features: [
      same(
        'Rows of a filter',
        { method: 'DELETE', path: '?city=like.B*' },
        { status: 204, stored: [3, 4, 5] },
      ),
      same(
        '`return=representation`',
        { method: 'DELETE', path: '?id=eq.1', headers: REPRESENTATION },
        { status: 200, body: [BOSTON], stored: [2, 3, 4, 5] },
      ),
      same(
        '`select`',
        { method: 'DELETE', path: '?id=eq.1&select=city', headers: REPRESENTATION },
        { status: 200, body: [{ city: 'Boston' }] },
      ),
      same('No row', { method: 'DELETE', path: '?id=eq.99' }, { status: 204 }),
      same(
        '`limit` and `order`',
        { method: 'DELETE', path: '?id=gt.0&order=id.desc&limit=2' },
        { status: 204, stored: [1, 2, 3] },
      ),
      same(
        '`limit` and `offset`',
        { method: 'DELETE', path: '?id=gt.0&order=id&limit=1&offset=1' },
        { status: 204, stored: [1, 3, 4, 5] },
      ),
      different(
        'Without a filter',
        'Is an error, which PostgREST needs an extension for.',
        { method: 'DELETE', path: '' },
        { ...rejected('missing_filter'), stored: [1, 2, 3, 4, 5] },
      ),
    ],
  },
  {
    title: 'Preferences',
    page: `${DOCS}/preferences.html`,
    features: [
      same(
        '`tx=rollback`',
        send('POST', '', ROME, prefer('tx=rollback')),
        created({ stored: [1, 2, 3, 4, 5], headers: { 'preference-applied': 'tx=rollback' } }),
      ),
      same(
        '`tx=rollback` with the rows',
        send(
          'PATCH',
          '?id=eq.1&select=city',
          { city: 'X' },
          prefer('tx=rollback', 'return=representation'),
        ),
        { status: 200, body: [{ city: 'X' }] },
      ),
      same(
        '`tx=rollback` of a deletion',
        { method: 'DELETE', path: '?id=gt.0', headers: prefer('tx=rollback') },
        { status: 204, stored: [1, 2, 3, 4, 5] },
      ),
      same(
        '`tx=commit`',
        send('POST', '', ROME, prefer('tx=commit')),
        created({ headers: { 'preference-applied': 'tx=commit' } }),
      ),
      same(
        '`handling=strict`',
        send('POST', '', ROME, prefer('handling=strict', 'anything')),
        rejected('invalid_preference'),
      ),
      same(
        '`handling=lenient`',
        send('POST', '', ROME, prefer('handling=lenient', 'anything')),
        created({ headers: { 'preference-applied': 'handling=lenient' } }),
      ),
      same(
        'An unknown preference',
        send('POST', '', ROME, prefer('anything')),
        created({ headers: { 'preference-applied': null } }),
      ),
      different(
        '`tx` needs a setting of the server',
        'It is always possible.',
        send('POST', '', ROME, prefer('tx=rollback')),
        created({ stored: [1, 2, 3, 4, 5] }),
      ),
      different(
        'An unknown value of a known preference',
        'Is an error, unless `handling=lenient` is sent.',
        send('POST', '', ROME, prefer('return=all')),
        rejected('invalid_preference'),
      ),
      absent(
        '`timezone`',
        'No column is a time.',
        send('POST', '', ROME, prefer('handling=strict', 'timezone=UTC')),
        rejected('invalid_preference'),
      ),
    ],
  },
  {
    title: 'Errors',
    page: 'https://docs.postgrest.org/en/stable/references/errors.html',
    features: [
      same('`message`, `details` and `hint`', send('POST', '', { name: '' }), {
        status: 400,
        body: {
          message: 'name: must not be blank',
          details: 'name: must not be blank',
          hint: null,
        },
      }),
      same(
        'A method that is not supported',
        { method: 'PUT', path: '' },
        rejected('method_not_allowed', 405),
      ),
      different(
        '`code`',
        'The codes of this service, described in [Errors](errors.md).',
        { method: 'GET', path: '?nme=eq.x' },
        rejected('unknown_parameter'),
      ),
      different(
        'The media type',
        'Problem documents of RFC 9457, with more members.',
        { method: 'GET', path: '?id=eq.x' },
        { status: 400, headers: { 'content-type': /problem\+json/ } },
      ),
      different(
        '`OPTIONS`',
        'Is 204, with the methods in `Allow`. PostgREST answers 200.',
        { method: 'OPTIONS', path: '' },
        { status: 204, headers: { allow: /POST/ } },
      ),
    ],
  },
];
