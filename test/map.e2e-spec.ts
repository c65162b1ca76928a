import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { MapResponse } from '../src/marathon/marathon-map.js';
import { startApp, type RunningApp } from './support/app.js';
import { emptyRegistry, store } from './support/store.js';

describe('the map', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => emptyRegistry(running));

  const inCities = async (...cities: (string | null)[]) =>
    store(
      running,
      cities.map((city) => ({ name: 'Marathon', city })),
    );
  const map = async (query = ''): Promise<MapResponse> =>
    (await running.http.get(`/marathon/map${query}`).expect(200)).body;
  const cities = async (query: string) =>
    (await map(query)).features.map(({ properties }) => properties.city);
  const place = async (city: string) => {
    await inCities(city);
    const { properties, geometry } = (await map(`?city=eq.${encodeURIComponent(city)}`))
      .features[0]!;
    return { ...properties, coordinates: geometry.coordinates };
  };

  it('has the cities with the number of their marathons, the most first', async () => {
    await inCities('Boston', 'Berlin', 'Berlin', null, 'Nowhere at all');
    const { headers, body } = await running.http.get('/marathon/map').expect(200);
    expect(headers['content-type']).toBe('application/geo+json');
    expect(body).toEqual({
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          geometry: { type: 'Point', coordinates: [13.411, 52.524] },
          properties: {
            city: 'Berlin',
            count: 2,
            place: 'Berlin, DE',
            is_approximate: false,
            other_places: [],
          },
        },
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
      placed: { cities: 2, marathons: 3 },
      unplaced: { cities: 1, marathons: 1, examples: ['Nowhere at all'] },
      without_city: 1,
      attribution: 'Places: GeoNames (https://www.geonames.org), CC BY 4.0',
    });
  });

  it.each([
    ['zurich', 'Zürich, ZH, CH'],
    ['ŁÓDŹ', 'Łódź, PL'],
    ['New York', 'New York City, NY, US'],
    ['Warszawa', 'Warsaw, PL'],
    ['東京', 'Tokyo, JP'],
    ['Saint-Denis', 'Saint-Denis, RE'],
  ])('knows the name %s', async (city, expected) => {
    expect(await place(city)).toMatchObject({ place: expected, is_approximate: false });
  });

  it('marks the place of a region, and of a part of a name', async () => {
    expect(await place('北海道')).toMatchObject({ place: 'Sapporo, JP', is_approximate: true });
    expect(await place('Berlin (Olympic Stadium)')).toMatchObject({
      place: 'Berlin, DE',
      is_approximate: true,
    });
  });

  it.each([
    ['Portland, ME', 'Portland, ME, US'],
    ['Boston, United Kingdom', 'Boston, ENG, GB'],
    ['Valencia, ES', 'Valencia, ES'],
  ])('finds a place by its country or region: %s', async (city, expected) => {
    expect(await place(city)).toMatchObject({ place: expected, is_approximate: false });
  });

  it('names the other places that may be meant', async () => {
    expect(await place('Hyderabad')).toMatchObject({
      place: 'Hyderabad, IN',
      other_places: ['Hyderabad, PK'],
    });
  });

  it('places all bundled marathons but two, which are in small places', async () => {
    const csv = await readFile(new URL('../data/marathons.csv', import.meta.url));
    await running.http
      .post('/marathon/')
      .set('Content-Type', 'text/csv')
      .send(csv.toString())
      .expect(201);
    const { placed, unplaced } = await map();
    expect(placed.marathons + unplaced.marathons).toBe(102);
    expect(unplaced.examples).toEqual(['Lubec', 'Schroon']);
  });

  it('follows filters, searches and an earlier time', async () => {
    await inCities('Boston', 'Berlin');
    expect(await cities('?city=ilike.b*&id=gt.1')).toEqual(['Berlin']);
    expect(await cities('?q=boston')).toEqual(['Boston']);
    expect(await cities('?as_of=2020-01-01T00:00:00Z')).toEqual([]);
    const { body } = await running.http.get('/marathon/map?order=id').expect(400);
    expect(body.detail).toBe('order: is not possible here');
  });

  it('is sent once to a client that has it', async () => {
    await inCities('Boston');
    const { headers } = await running.http.get('/marathon/map').expect(200);
    await running.http.get('/marathon/map').set('If-None-Match', headers.etag!).expect(304);
    await inCities('Boston');
    await running.http.get('/marathon/map').set('If-None-Match', headers.etag!).expect(200);
  });
});
