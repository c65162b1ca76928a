/** So many cities are named, those with the most marathons; how many there are is told besides. */
const MOST_CITIES = 100;

/** SQL for the figures about the marathons that `marathons` selects, as one JSON value. */
export function selectStatistics(marathons: string): string {
  return `
    WITH found AS (${marathons}),
    decades AS (
      SELECT inception_year / 10 * 10 AS decade, count(*) FROM found GROUP BY 1),
    cities AS (SELECT city, count(*) FROM found GROUP BY 1),
    busiest AS (SELECT * FROM cities ORDER BY count DESC, city LIMIT ${MOST_CITIES}),
    dated AS (
      SELECT id, name, city, inception_year FROM found WHERE inception_year IS NOT NULL)
    SELECT json_build_object(
      'count', (SELECT count(*) FROM found),
      'by_decade', (SELECT coalesce(json_agg(decades ORDER BY decade), '[]') FROM decades),
      'cities', (SELECT count(city) FROM cities),
      'by_city', (SELECT coalesce(json_agg(busiest ORDER BY count DESC, city), '[]') FROM busiest),
      'oldest', (SELECT row_to_json(dated) FROM dated ORDER BY inception_year, id LIMIT 1),
      'newest', (SELECT row_to_json(dated) FROM dated ORDER BY inception_year DESC, id LIMIT 1)
    ) AS statistics`;
}
