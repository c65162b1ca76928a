import { applyDecorators } from '@nestjs/common';
import { IsIn, isInt, Matches, max, min, ValidateBy } from 'class-validator';
import { ReadBy } from '../http/input.js';
import { IsFormat, type ListOptions } from '../http/questions.js';
import { IfSent, IsPastTime, IsWholeNumber } from '../http/parameters.js';
import type { Operation } from '../journal/journal.entity.js';
import { LIMITS, NATURAL_KEY } from './marathon.columns.js';

/** The largest number a PostgreSQL integer holds: no marathon's id is above it. */
export const LARGEST_ID = 2_147_483_647;

/** What a marathon is described by, from whoever creates or replaces one. */
export class MarathonDetails {
  @IsText(LIMITS.name)
  name!: string;

  @IsText(LIMITS.city)
  city: string | null = null;

  @IsYear()
  inception_year: number | null = null;
}

/** What changes about a marathon: the members that are sent, as in a merge patch (RFC 7396). */
export class MarathonChanges {
  @IfSent()
  @IsText(LIMITS.name)
  name?: string;

  @IfSent()
  @IsText(LIMITS.city)
  city?: string | null;

  @IfSent()
  @IsYear()
  inception_year?: number | null;
}

/** One marathon, as every answer shows it. */
export interface MarathonView {
  id: number;
  name: string | null;
  city: string | null;
  inception_year: number | null;
}

/** One change of a marathon, and the marathon after it; where it was deleted, before it. */
export interface ChangeView {
  seq: number;
  operation: Operation;
  version: number;
  at: Date;
  by: string | null;
  marathon: MarathonView;
}

/** A point in time, to see what was then. */
export class PointInTime {
  @IfSent()
  @IsPastTime()
  as_of?: Date;
}

/** Which year's anniversaries, and how they are answered. */
export class AnniversaryOptions {
  @IsWholeNumber({ least: 1, most: 9999 })
  year = new Date().getUTCFullYear();

  @IsFormat()
  format?: ListOptions['format'];
}

/** Figures about marathons; a decade or city of null counts those without. */
export interface StatisticsView {
  count: number;
  by_decade: { decade: number | null; count: number }[];
  /** How many cities there are; `by_city` names the hundred with the most marathons. */
  cities: number;
  by_city: { city: string | null; count: number }[];
  oldest: MarathonView | null;
  newest: MarathonView | null;
}

const SENT_COLUMNS = Object.keys(LIMITS);
const COLUMN = `"?(${SENT_COLUMNS.join('|')})"?`;
const COLUMN_LIST = new RegExp(`^${COLUMN}(,${COLUMN})*$`);

/** How marathons are stored that are sent, such as what becomes of those that are there already. */
export class StoreOptions {
  @IfSent()
  @IsIn([NATURAL_KEY.join(',')], { message: `can be ${NATURAL_KEY.join(',')}` })
  on_conflict?: string;

  /** PostgREST's clients name here what their rows have in them; the rows say so themselves. */
  @IfSent()
  @Matches(COLUMN_LIST, { message: `names columns, as in ${SENT_COLUMNS.join(',')}` })
  columns?: string;
}

/** Which version to restore: without one, that before the deletion. */
export class RestoredVersion {
  @IfSent()
  @IsWholeNumber({ least: 1, most: LARGEST_ID })
  version?: number;
}

/** Which changes: those after `since`. */
export class ChangesPage {
  @IfSent()
  @IsWholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER })
  since?: number;

  @IsWholeNumber({ least: 1, most: 1000 })
  limit = 1000;
}

/** Which versions: those before `before`, newest first. */
export class HistoryPage {
  @IfSent()
  @IsWholeNumber({ least: 1, most: LARGEST_ID })
  before?: number;

  @IsWholeNumber({ least: 1, most: 1000 })
  limit = 1000;
}

function IsYear() {
  const { least, most } = LIMITS.inception_year;
  const message = `must be a whole number from ${least} to ${most}, or null`;
  const isYear = (value: unknown) => isInt(value) && min(value, least) && max(value, most);
  return ValidateBy({
    name: 'isYear',
    validator: {
      validate: (value) => value === null || isYear(value),
      defaultMessage: () => message,
    },
  });
}

interface TextLimits {
  longest: number;
  isRequired?: boolean;
}

/** Text that PostgreSQL can keep exactly as sent; its length counts characters, not bytes. */
function IsText(limits: TextLimits) {
  return applyDecorators(
    ReadBy((value) => (typeof value === 'string' ? value.trim() : value)),
    ValidateBy({
      name: 'isText',
      validator: {
        validate: (value) => findFault(value, limits) === undefined,
        defaultMessage: (text) => findFault(text?.value, limits) ?? '',
      },
    }),
  );
}

function findFault(value: unknown, limits: TextLimits): string | undefined {
  if (value === undefined) return 'is required';
  if (value === null && !limits.isRequired) return undefined;
  if (typeof value !== 'string') return `must be text${limits.isRequired ? '' : ', or null'}`;
  if (limits.isRequired && value === '') return 'must not be blank';
  if (value.includes('\0')) return 'must not contain a NUL character';
  if (!value.isWellFormed()) return 'must be well-formed Unicode: it has half of a surrogate pair';
  if (value.length <= limits.longest) return undefined;
  const length = [...value].length;
  if (length <= limits.longest) return undefined;
  return `must have at most ${limits.longest} characters, and has ${length}`;
}
