import type { PlaceMatch, Place } from '../places/gazetteer.js';

/** How many marathons are in a city; null is none. */
export interface CityCount {
  city: string | null;
  count: number;
}

interface Counts {
  cities: number;
  marathons: number;
}

/** A city as GeoJSON (RFC 7946, section 3.2). */
interface CityFeature {
  type: 'Feature';
  geometry: { type: 'Point'; coordinates: [longitude: number, latitude: number] };
  properties: {
    city: string;
    count: number;
    /** The place that is meant, as in `Boston, US`. */
    place: string;
    is_approximate: boolean;
    /** Other places of the name, which may be meant. */
    other_places: string[];
  };
}

/** Where marathons are, as GeoJSON (RFC 7946, section 3.3). */
export interface MapResponse {
  type: 'FeatureCollection';
  features: CityFeature[];
  placed: Counts;
  /** `examples` are the cities with the most marathons. */
  unplaced: Counts & { examples: string[] };
  /** The number of marathons without a city. */
  without_city: number;
  attribution: string;
}

const MAX_EXAMPLES = 20;
const MAX_OTHER_PLACES = 3;
const ATTRIBUTION = 'Places: GeoNames (https://www.geonames.org), CC BY 4.0';

/** Places cities by their names. */
export function toMap(
  counted: CityCount[],
  find: (city: string) => PlaceMatch | undefined,
): MapResponse {
  const features: CityFeature[] = [];
  const unplaced: CityCount[] = [];
  let withoutCity = 0;
  for (const { city, count } of counted) {
    const match = city === null ? undefined : find(city);
    if (city === null) withoutCity += count;
    else if (match) features.push(toFeature(city, count, match));
    else unplaced.push({ city, count });
  }
  const examples = unplaced.slice(0, MAX_EXAMPLES).map(({ city }) => city!);
  return {
    type: 'FeatureCollection',
    features,
    placed: countAll(features.map(({ properties }) => properties)),
    unplaced: { ...countAll(unplaced), examples },
    without_city: withoutCity,
    attribution: ATTRIBUTION,
  };
}

function toFeature(city: string, count: number, match: PlaceMatch): CityFeature {
  const { place, others, isApproximate } = match;
  return {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [place.longitude, place.latitude] },
    properties: {
      city,
      count,
      place: nameOf(place),
      is_approximate: isApproximate,
      other_places: others.slice(0, MAX_OTHER_PLACES).map(nameOf),
    },
  };
}

/** The codes of regions are letters in some countries only. */
function nameOf({ name, country, region }: Place): string {
  return /^[A-Z]+$/.test(region) && region !== country
    ? `${name}, ${region}, ${country}`
    : `${name}, ${country}`;
}

function countAll(counted: CityCount[]): Counts {
  const marathons = counted.reduce((sum, { count }) => sum + count, 0);
  return { cities: counted.length, marathons };
}
