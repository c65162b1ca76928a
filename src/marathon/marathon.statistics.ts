import { RESOURCE } from './marathon.lists.js';

/** How many cities are listed, those with the most marathons. All of them are counted. */
const MAX_CITIES = 100;
/** More dots would cover each other, and the answer would have megabytes. */
const MAX_MAPPED_CITIES = 10_000;

const { table: TABLE } = RESOURCE;
const COLUMNS = ['id', ...RESOURCE.columns.map(({ name }) => name)].join(', ');

/**
 * SQL for the statistics of the marathons that `select` returns, as one JSON value. PostgreSQL scans them in
 * parallel, once by year and once by city: a common copy of a million rows takes ten times as long.
 */
export function statisticsSql(select: string): string {
  return `
    WITH selected AS NOT MATERIALIZED (${select}),
    years AS (
      SELECT inception_year AS year, count(*) AS count, min(id) AS first_id FROM selected GROUP BY 1),
    decades AS (SELECT year / 10 * 10 AS decade, sum(count)::bigint AS count FROM years GROUP BY 1),
    cities AS (SELECT city, count(*) AS count FROM selected GROUP BY 1),
    largest AS (SELECT * FROM cities ORDER BY count DESC, city LIMIT ${MAX_CITIES})
    SELECT json_build_object(
      'count', (SELECT coalesce(sum(count), 0)::bigint FROM years),
      'by_decade', (SELECT coalesce(json_agg(decades ORDER BY decade), '[]') FROM decades),
      'cities', (SELECT count(city) FROM cities),
      'by_city', (SELECT coalesce(json_agg(largest ORDER BY count DESC, city), '[]') FROM largest),
      'oldest', (${marathonOf('year')}),
      'newest', (${marathonOf('year DESC')})
    ) AS statistics`;
}

function marathonOf(order: string): string {
  return `
    SELECT row_to_json(found) FROM (SELECT ${COLUMNS} FROM selected WHERE id = (
      SELECT first_id FROM years WHERE year IS NOT NULL ORDER BY ${order} LIMIT 1)) AS found`;
}

/** SQL for the number of marathons in each city, those with the most first. */
export function citiesSql(select: string): string {
  return `
    SELECT city, count(*)::integer AS count FROM (${select}) AS selected
    GROUP BY city ORDER BY count DESC, city LIMIT ${MAX_MAPPED_CITIES}`;
}

/**
 * SQL for the marathons that were founded a multiple of ten years before `year`, and the number of
 * `years`. It counts years and not races: some years had none.
 */
export function anniversariesSql(year: number): string {
  return `
    SELECT ${COLUMNS}, version, ${year} - inception_year AS years FROM ${TABLE}
    WHERE inception_year < ${year} AND (${year} - inception_year) % 10 = 0`;
}
