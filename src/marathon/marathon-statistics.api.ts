import {
  COUNT,
  jsonContent,
  listOf,
  namedSchema,
  objectOf,
  TEXT_OR_NULL,
} from '../http/api-operation.js';
import type { ApiOperation } from '../http/api-types.js';
import type { Schema } from '../http/dto-metadata.js';
import { EXAMPLE, MARATHON } from './marathon.schemas.js';

const TAG = 'Marathons';
const NUMBER_OR_NULL: Schema = { type: ['integer', 'null'] };
const TEXT: Schema = { type: 'string' };
const MARATHON_OR_NULL: Schema = { anyOf: [MARATHON, { type: 'null' }] };

const STATISTICS_SCHEMA = namedSchema(
  'Statistics',
  objectOf({
    count: COUNT,
    by_decade: listOf(objectOf({ decade: NUMBER_OR_NULL, count: COUNT })),
    cities: COUNT,
    by_city: listOf(objectOf({ city: TEXT_OR_NULL, count: COUNT })),
    oldest: MARATHON_OR_NULL,
    newest: MARATHON_OR_NULL,
  }),
);

export const STATISTICS: ApiOperation = {
  id: 'getStatistics',
  tag: TAG,
  summary: 'Count marathons by decade and by city',
  responses: {
    200: {
      description: 'The statistics.',
      content: jsonContent(STATISTICS_SCHEMA, {
        count: 1,
        by_decade: [{ decade: 1890, count: 1 }],
        cities: 1,
        by_city: [{ city: EXAMPLE.city, count: 1 }],
        oldest: EXAMPLE,
        newest: EXAMPLE,
      }),
    },
  },
  problems: ['history_pruned'],
};

const COUNTS = { cities: COUNT, marathons: COUNT };
const MAP_SCHEMA = namedSchema(
  'MarathonMap',
  objectOf({
    type: { const: 'FeatureCollection' },
    features: listOf(
      objectOf({
        type: { const: 'Feature' },
        geometry: objectOf({
          type: { const: 'Point' },
          coordinates: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
        }),
        properties: objectOf({
          city: TEXT,
          count: COUNT,
          place: { ...TEXT, description: 'The place that is meant.' },
          is_approximate: { type: 'boolean' },
          other_places: { ...listOf(TEXT), description: 'Other places of the name.' },
        }),
      }),
    ),
    placed: objectOf(COUNTS),
    unplaced: objectOf({ ...COUNTS, examples: listOf(TEXT) }),
    without_city: COUNT,
    attribution: TEXT,
  }),
);

export const MAP: ApiOperation = {
  id: 'getMap',
  tag: TAG,
  summary: 'Show where marathons are, as GeoJSON (RFC 7946)',
  description:
    'Cities are placed by their names, so the places are approximate. The 10,000 cities with the most marathons are placed.',
  responses: {
    200: {
      description: 'The cities.',
      headers: ['ETag', 'Vary', 'Content-Encoding'],
      content: {
        'application/geo+json': {
          schema: MAP_SCHEMA,
          example: {
            type: 'FeatureCollection',
            features: [
              {
                type: 'Feature',
                geometry: { type: 'Point', coordinates: [-71.06, 42.358] },
                properties: {
                  city: 'Boston',
                  count: 1,
                  place: 'Boston, MA, US',
                  is_approximate: false,
                  other_places: [],
                },
              },
            ],
            placed: { cities: 1, marathons: 1 },
            unplaced: { cities: 0, marathons: 0, examples: [] },
            without_city: 0,
            attribution: 'Places: GeoNames (https://www.geonames.org), CC BY 4.0',
          },
        },
      },
    },
    304: { description: 'The map is unchanged.', headers: ['ETag', 'Vary'] },
  },
};
