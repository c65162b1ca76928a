import type { components } from './api-types.ts';

type Schemas = components['schemas'];

/** The columns that people write. */
export const COLUMNS = ['name', 'city', 'inception_year'] as const;
export type Column = (typeof COLUMNS)[number];
export type Marathon = Schemas['Marathon'] & { version: number };
export type Change = Schemas['Change'];
export type Statistics = Schemas['Statistics'];
/** A type of a tuple, which the description has no word for. */
type Position = [longitude: number, latitude: number];
/** A city on the map. */
export type City = Omit<Schemas['MarathonMap']['features'][number], 'geometry'> & {
  geometry: { type: 'Point'; coordinates: Position };
};
export type MarathonMap = Omit<Schemas['MarathonMap'], 'features'> & { features: City[] };
/** The current record of a 412 has the columns of a marathon. */
export type Problem = Omit<Schemas['Problem'], 'current'> & { current?: Schemas['Marathon'] };
