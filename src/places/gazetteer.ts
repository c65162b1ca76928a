import { readFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { findUpwards } from '../http/package-files.js';
import { placeKey } from './place-key.js';
import { findLines } from './sorted-lines.js';

/** A place of the gazetteer. */
export interface Place {
  name: string;
  /** ISO 3166, two letters. */
  country: string;
  /** The first-level division, such as a state of the USA, as GeoNames codes it. */
  region: string;
  latitude: number;
  longitude: number;
  population: number;
}

/** Where a city is, as far as its name tells. */
export interface PlaceMatch {
  place: Place;
  /** The name says a region or a part of a city, or only a part of the name was found. */
  isApproximate: boolean;
  /** Other places of the name that may be meant. */
  others: Place[];
}

const FILE = 'dist/places.tsv';
/** A place with less than a quarter of the people of the largest one is rarely meant. */
const MIN_POPULATION_SHARE = 0.25;
/** "Portland, Maine", "Tokyo (Shinjuku)", "Kobe / Osaka" */
const FIRST_PART = /^([^,(/–]+)[,(/–]\s*([^)]*)/;

const countryNames = new Intl.DisplayNames('en', { type: 'region' });

/**
 * Finds where cities are, without the internet: places of GeoNames with a thousand people or more. Its file is
 * made by `npm run build`, and read when a place is asked for first. Its lines are searched where they are, so
 * that the gazetteer needs no more memory than the file.
 */
@Injectable()
export class Gazetteer {
  private lines?: Promise<Buffer>;

  /** @throws if the file was not built */
  async open(): Promise<(city: string) => PlaceMatch | undefined> {
    this.lines ??= readFile(findUpwards(FILE, import.meta.dirname)).catch((error: unknown) => {
      this.lines = undefined;
      throw error;
    });
    const lines = await this.lines;
    return (city) => find(lines, city);
  }
}

function find(lines: Buffer, city: string): PlaceMatch | undefined {
  const exact = choose(findPlaces(lines, city));
  if (exact) return exact;
  const [, first = '', qualifier = ''] = FIRST_PART.exec(city) ?? [];
  const places = findPlaces(lines, first);
  const matching = places.filter((found) => isIn(found.place, qualifier.trim()));
  if (matching.length) return choose(matching);
  const match = choose(places);
  return match && { ...match, isApproximate: true };
}

type Found = Omit<PlaceMatch, 'others'>;

/** The largest place, and those that are not much smaller. */
function choose([largest, ...smaller]: Found[]): PlaceMatch | undefined {
  if (!largest) return undefined;
  const least = largest.place.population * MIN_POPULATION_SHARE;
  const others = smaller.map(({ place }) => place).filter(({ population }) => population > least);
  return { ...largest, others };
}

/** All places of a name, the largest one first, as the file has them. */
function findPlaces(lines: Buffer, name: string): Found[] {
  const key = placeKey(name);
  return key ? findLines(lines, key).map(parseLine) : [];
}

function parseLine(line: string): Found {
  const [, name, country, region, latitude, longitude, population, isRegion] = line.split('\t');
  const place = {
    name: name!,
    country: country!,
    region: region!,
    latitude: Number(latitude),
    longitude: Number(longitude),
    population: Number(population),
  };
  return { place, isApproximate: isRegion === 'yes' };
}

/** Whether a text names the country or the region of a place. */
function isIn({ country, region }: Place, text: string): boolean {
  return [country, region, countryNames.of(country)].some(
    (name) => name !== undefined && placeKey(name) === placeKey(text),
  );
}
