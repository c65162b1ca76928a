import type { components } from './api-types.ts';

type Schemas = components['schemas'];

export type Column = 'name' | 'city' | 'inception_year';
export type Marathon = Schemas['Marathon'] & { version: number };
export type Change = Schemas['Change'];
export type Statistics = Schemas['Statistics'];
/** The current record of a 412 has the columns of a marathon. */
export type Problem = Omit<Schemas['Problem'], 'current'> & { current?: Schemas['Marathon'] };
