import type { components } from './api-types.ts';

type Schemas = components['schemas'];

/** The columns that people write. */
export const COLUMNS = ['name', 'city', 'inception_year'] as const;
export type Column = (typeof COLUMNS)[number];
export type Marathon = Schemas['Marathon'] & { version: number };
export type Change = Schemas['Change'];
export type Statistics = Schemas['Statistics'];
/** The current record of a 412 has the columns of a marathon. */
export type Problem = Omit<Schemas['Problem'], 'current'> & { current?: Schemas['Marathon'] };
