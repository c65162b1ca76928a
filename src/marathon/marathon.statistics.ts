import { RESOURCE } from './marathon.lists.js';

/** How many cities are listed, those with the most marathons. All of them are counted. */
const MAX_CITIES = 100;

const { table: TABLE } = RESOURCE;
const COLUMNS = ['id', ...RESOURCE.columns.map(({ name }) => name)].join(', ');

/** SQL for the statistics of the marathons that `select` returns, as one JSON value. */
export function statisticsSql(select: string): string {
  return `
    WITH selected AS (${select}),
    decades AS (
      SELECT inception_year / 10 * 10 AS decade, count(*) FROM selected GROUP BY 1),
    cities AS (SELECT city, count(*) FROM selected GROUP BY 1),
    largest AS (SELECT * FROM cities ORDER BY count DESC, city LIMIT ${MAX_CITIES}),
    dated AS (SELECT ${COLUMNS} FROM selected WHERE inception_year IS NOT NULL)
    SELECT json_build_object(
      'count', (SELECT count(*) FROM selected),
      'by_decade', (SELECT coalesce(json_agg(decades ORDER BY decade), '[]') FROM decades),
      'cities', (SELECT count(city) FROM cities),
      'by_city', (SELECT coalesce(json_agg(largest ORDER BY count DESC, city), '[]') FROM largest),
      'oldest', (SELECT row_to_json(dated) FROM dated ORDER BY inception_year, id LIMIT 1),
      'newest', (SELECT row_to_json(dated) FROM dated ORDER BY inception_year DESC, id LIMIT 1)
    ) AS statistics`;
}

/**
 * SQL for the marathons that were founded a multiple of ten years before `year`, and the number of
 * `years`. It counts years and not races: some years had none.
 */
export function anniversariesSql(year: number): string {
  return `
    SELECT ${COLUMNS}, ${year} - inception_year AS years FROM ${TABLE}
    WHERE inception_year < ${year} AND (${year} - inception_year) % 10 = 0`;
}
