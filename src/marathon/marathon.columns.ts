import type { Askable } from '../query/listing.js';
import { textColumn, wholeNumberColumn } from '../transfer/columns.js';

/** What a marathon's columns can hold: one place for the checks of a body and for those of an import. */
export const LIMITS = {
  name: { longest: 100, isRequired: true },
  city: { longest: 50 },
  inception_year: { least: 1, most: 9999 },
};

export const IMPORT_COLUMNS = [
  textColumn('name', LIMITS.name),
  textColumn('city', LIMITS.city),
  wholeNumberColumn('inception_year', LIMITS.inception_year),
];

/** Two marathons with the same of these are taken for the same one. */
export const NATURAL_KEY = ['name', 'city'];

const ID = { name: 'id', kind: 'integer', isNeverNull: true } as const;

/** What can be asked about marathons. */
export const ASKABLE: Askable = {
  columns: [
    ID,
    { name: 'name', kind: 'text' },
    { name: 'city', kind: 'text' },
    { name: 'inception_year', kind: 'integer' },
  ],
  unique: ID,
};

const YEARS = { name: 'years', kind: 'integer' } as const;

/** The same about anniversaries: the roundest first. */
export const ANNIVERSARIES: Askable = {
  columns: [...ASKABLE.columns, YEARS],
  unique: ID,
  order: [{ column: YEARS, isDescending: true, isNullsFirst: false }],
};

/** What a search goes through. */
export const SEARCHED = ['name', 'city'];
