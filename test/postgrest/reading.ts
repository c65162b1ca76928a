import {
  absent,
  different,
  get,
  ids,
  prefer,
  rejected,
  ROWS,
  same,
  send,
  type Section,
} from './feature.js';

const DOCS = 'https://docs.postgrest.org/en/stable/references/api';
const ALL = ids(1, 2, 3, 4, 5);
const ARRAY = 'application/vnd.pgrst.array+json';
const OBJECT = 'application/vnd.pgrst.object+json';
const BOSTON = ROWS[0]!;

const body = (value: unknown) => ({ status: 200, body: value });
const range = (contentRange: string, status = 200) => ({
  status,
  headers: { 'content-range': contentRange },
});
const accept = (type: string) => ({ Accept: type });

export const READING: Section[] = [
  {
    title: 'Columns',
    page: `${DOCS}/tables_views.html#vertical-filtering`,
    features: [
      same('All columns', get('id=eq.1'), body([BOSTON])),
      same('`select` of columns', get('select=name&id=eq.1'), body([{ name: 'Boston Marathon' }])),
      same('`select=*`', get('select=*&id=eq.1'), body([BOSTON])),
      same(
        '`select=*` and others',
        get('select=*,year:inception_year&id=eq.1'),
        body([{ ...BOSTON, year: 1897 }]),
      ),
      same('Renaming', get('select=year:inception_year&id=eq.1'), body([{ year: 1897 }])),
      same(
        'Casting to text',
        get('select=inception_year::text&id=eq.1'),
        body([{ inception_year: '1897' }]),
      ),
      same(
        'Renaming and casting',
        get('select=y:inception_year::text&id=eq.1'),
        body([{ y: '1897' }]),
      ),
      same(
        'Casting to numeric',
        get('select=inception_year::numeric&id=eq.1'),
        body([{ inception_year: 1897 }]),
      ),
      same(
        'Casting to json',
        get('select=inception_year::json&id=eq.1'),
        body([{ inception_year: 1897 }]),
      ),
      same(
        'A value that cannot be cast is an error',
        get('select=name::integer'),
        rejected('invalid_parameter'),
      ),
      same('An unknown column is an error', get('select=nme'), rejected('invalid_parameter')),
      different(
        'Casting to any type',
        'To text, integer, numeric and json only.',
        get('select=name::bytea'),
        rejected('invalid_parameter'),
      ),
      absent(
        '`->` and `->>`',
        'No column is JSON.',
        get('select=name->a'),
        rejected('invalid_parameter'),
      ),
      absent(
        'Embedded resources',
        'There is one table.',
        get('select=name,runners(*)'),
        rejected('invalid_parameter'),
      ),
      absent(
        'Spread columns',
        'There is one table.',
        get('select=name,...runners(*)'),
        rejected('invalid_parameter'),
      ),
      absent(
        'Filters of embedded resources',
        'There is one table.',
        get('runners.name=eq.x'),
        rejected('unknown_parameter'),
      ),
      absent(
        'Computed fields',
        'The columns are those of the resource.',
        get('select=full_name'),
        rejected('invalid_parameter'),
      ),
    ],
  },
  {
    title: 'Order',
    page: `${DOCS}/tables_views.html#ordering`,
    features: [
      same('`order`', get('order=inception_year'), ids(1, 2, 3, 4, 5)),
      same('`asc`', get('order=city.asc'), ids(2, 1, 3, 4, 5)),
      same('`desc`, where null comes first', get('order=inception_year.desc'), ids(5, 4, 3, 2, 1)),
      same('`nullsfirst`', get('order=inception_year.nullsfirst'), ids(5, 1, 2, 3, 4)),
      same('`nullslast`', get('order=inception_year.desc.nullslast'), ids(4, 3, 2, 1, 5)),
      same('Several columns', get('order=city.desc.nullslast,id'), ids(4, 3, 1, 2, 5)),
      same('An unknown column is an error', get('order=nme'), rejected('invalid_parameter')),
      different(
        'The order without `order`',
        'By id. PostgREST leaves it to the database.',
        get('id=lt.3'),
        ids(1, 2),
      ),
      different(
        'Equal rows',
        'Are ordered by id, so that pages never overlap.',
        get('order=name&limit=2'),
        ids(2, 1),
      ),
    ],
  },
  {
    title: 'Pages and counts',
    page: `${DOCS}/pagination_count.html`,
    features: [
      same('`limit`', get('limit=2'), { ...ids(1, 2), headers: { 'content-range': '0-1/*' } }),
      same('`offset`', get('offset=3'), ids(4, 5)),
      same('`limit` and `offset`', get('limit=2&offset=2'), {
        ...ids(3, 4),
        headers: { 'content-range': '2-3/*' },
      }),
      same('`limit=0`', get('limit=0'), ids()),
      same('A page past the end, not counted', get('offset=9'), ids()),
      different(
        'A negative limit',
        'Is 400, as every invalid parameter. PostgREST answers 416.',
        get('limit=-1'),
        rejected('invalid_parameter'),
      ),
      same('`Range`', get('', { Range: '1-2' }), {
        ...ids(2, 3),
        headers: { 'content-range': '1-2/*' },
      }),
      same('`Range` with `Range-Unit`', get('', { Range: '0-0', 'Range-Unit': 'items' }), ids(1)),
      same('`Range` without an end', get('', { Range: '3-' }), ids(4, 5)),
      same(
        '`Range` that ends before it begins',
        get('', { Range: '4-2' }),
        rejected('range_not_satisfiable', 416),
      ),
      same(
        '`Range` within `limit` and `offset`',
        get('offset=1&limit=3', { Range: '2-9' }),
        ids(3, 4),
      ),
      same('`count=exact` of all rows', get('', prefer('count=exact')), range('0-4/5')),
      same('`count=exact` of a page', get('limit=2', prefer('count=exact')), range('0-1/5', 206)),
      same(
        '`count=exact` with a filter',
        get('city=like.B*', prefer('count=exact')),
        range('0-1/2'),
      ),
      same('`count=exact` of nothing', get('id=eq.9', prefer('count=exact')), range('*/0')),
      same(
        '`count=exact` past the end',
        get('offset=9', prefer('count=exact')),
        rejected('range_not_satisfiable', 416),
      ),
      same('`count=planned`', get('limit=2', prefer('count=planned')), {
        status: 206,
        headers: { 'content-range': /^0-1\/\d+$/ },
      }),
      same('`count=estimated`', get('limit=2', prefer('count=estimated')), range('0-1/5', 206)),
      same(
        '`HEAD`',
        { method: 'HEAD', path: '?limit=2' },
        { status: 200, headers: { 'content-range': '0-1/*' } },
      ),
      same(
        '`HEAD` with a count',
        { method: 'HEAD', path: '', headers: prefer('count=exact') },
        range('0-4/5'),
      ),
      same('`Preference-Applied: count=exact`', get('', prefer('count=exact')), {
        status: 200,
        headers: { 'preference-applied': 'count=exact' },
      }),
      different(
        '`Content-Range` of every answer',
        'Only pages and counted lists have it: a list that is streamed does not know its length.',
        get(''),
        { ...ALL, headers: { 'content-range': null } },
      ),
      different('A largest page of the server', 'There is none. Lists are streamed.', get(''), ALL),
    ],
  },
  {
    title: 'Formats',
    page: `${DOCS}/resource_representation.html`,
    features: [
      same('JSON', get('select=id&id=lt.3', accept('application/json')), {
        ...body([{ id: 1 }, { id: 2 }]),
        headers: { 'content-type': 'application/json; charset=utf-8' },
      }),
      same('JSON for `*/*`', get('select=id&id=lt.3', accept('*/*')), body([{ id: 1 }, { id: 2 }])),
      same('CSV', get('select=id,city&id=gt.3', accept('text/csv')), {
        status: 200,
        body: 'id,city\n4,Zürich\n5,\n',
        headers: { 'content-type': 'text/csv; charset=utf-8' },
      }),
      same('An array', get('select=id&id=lt.3', accept(ARRAY)), body([{ id: 1 }, { id: 2 }])),
      same('A single object', get('id=eq.1', accept(OBJECT)), body(BOSTON)),
      same(
        'A single object of no row',
        get('id=eq.9', accept(OBJECT)),
        rejected('not_acceptable', 406),
      ),
      same(
        'A single object of several rows',
        get('', accept(OBJECT)),
        rejected('not_acceptable', 406),
      ),
      same(
        'An array without nulls',
        get('id=eq.5', accept(`${ARRAY};nulls=stripped`)),
        body([{ id: 5, name: 'The "Unknown" Run' }]),
      ),
      same(
        'An object without nulls',
        get('id=eq.5', accept(`${OBJECT};nulls=stripped`)),
        body({ id: 5, name: 'The "Unknown" Run' }),
      ),
      same(
        'The most preferred format',
        get('select=id&id=eq.1', accept('text/csv;q=0.5, application/json')),
        body([{ id: 1 }]),
      ),
      same(
        'A format that does not exist',
        get('', accept('text/html')),
        rejected('not_acceptable', 406),
      ),
      absent(
        'GeoJSON',
        'No column is a geometry.',
        get('', accept('application/geo+json')),
        rejected('not_acceptable', 406),
      ),
      absent(
        '`application/octet-stream`',
        'No column is binary.',
        get('select=name', accept('application/octet-stream')),
        rejected('not_acceptable', 406),
      ),
      absent(
        'Execution plans',
        'They show the inside of the database.',
        get('', accept('application/vnd.pgrst.plan+json')),
        rejected('not_acceptable', 406),
      ),
    ],
  },
  {
    title: 'Aggregates',
    page: `${DOCS}/aggregate_functions.html`,
    features: [
      same('`count()`', get('select=count()'), body([{ count: 5 }])),
      same('`count()` of a column', get('select=city.count()'), body([{ count: 4 }])),
      same('`sum()`', get('select=id.sum()'), body([{ sum: 15 }])),
      same('`avg()`', get('select=id.avg()'), body([{ avg: 3 }])),
      same('`min()`', get('select=inception_year.min()'), body([{ min: 1897 }])),
      same('`max()`', get('select=city.max()'), body([{ max: 'Zürich' }])),
      same(
        'Groups',
        get('select=city,count()&city=like.B*'),
        body([
          { city: 'Berlin', count: 1 },
          { city: 'Boston', count: 1 },
        ]),
      ),
      same('Renaming', get('select=n:count()'), body([{ n: 5 }])),
      same('Casting before', get('select=inception_year::text.max()'), body([{ max: '2003' }])),
      same(
        'Casting after',
        get('select=inception_year.avg()::integer&id=lt.3'),
        body([{ avg: 1936 }]),
      ),
      same('Filters', get('select=count()&city=like.B*'), body([{ count: 2 }])),
      different(
        '`sum()` of text',
        'An error that names the column. PostgREST passes on the error of PostgreSQL.',
        get('select=name.sum()'),
        rejected('invalid_parameter'),
      ),
      different(
        'Order by an aggregate',
        'Is possible here.',
        get('select=city,n:count()&order=n.desc,city&limit=1'),
        body([{ city: 'Berlin', n: 1 }]),
      ),
      different(
        'Aggregates are off by default',
        'They are on.',
        get('select=count()'),
        body([{ count: 5 }]),
      ),
    ],
  },
  {
    title: 'Other resources',
    page: `${DOCS}.html`,
    features: [
      same(
        'A table that does not exist',
        { method: 'GET', path: '/../runner' },
        rejected('unknown_address', 404),
      ),
      absent(
        'Functions',
        'The service has its own addresses, such as `stats`.',
        send('POST', '/../rpc/add', {}),
        rejected('unknown_address', 404),
      ),
      absent(
        'OpenAPI at the root',
        'It follows at `/openapi.json`.',
        { method: 'GET', path: '/../' },
        rejected('unknown_address', 404),
      ),
      different(
        '`Accept-Profile`',
        'There is one schema. The header is ignored, since clients send it always.',
        get('id=eq.1', { 'Accept-Profile': 'public' }),
        ids(1),
      ),
    ],
  },
];
