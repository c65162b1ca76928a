import { applyDecorators } from '@nestjs/common';
import { IsIn, IsInt, Max, Min, ValidateBy, ValidateIf } from 'class-validator';
import type { IntegerLimits, TextLimits } from '../resource/columns.js';
import { ConvertWith, HasSchema, MayBeAbsent, type Schema } from './dto-metadata.js';

/** RFC 3339, section 5.6, with the offset that makes it one point in time. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;
const RANGE = /^(\d{1,15})-(\d{1,15})$/;
const EXAMPLE_TIME = '2026-01-01T00:00:00Z';
const CLOCK_TOLERANCE_MS = 60_000;

interface Example {
  /** A value, for documentation. */
  example?: string | number;
}

interface Nullability {
  isRequired?: boolean;
}

/** A member or parameter that may be absent. It may be null only if its other rules allow that. */
export function IsOptionalNotNull() {
  return applyDecorators(
    MayBeAbsent(),
    ValidateIf((_, value) => value !== undefined),
  );
}

/** A query parameter: a whole number in decimal digits. */
export function IsIntegerParameter({ min, max, example = min }: IntegerLimits & Example) {
  const message = `must be a whole number from ${min} to ${max}`;
  return applyDecorators(
    ConvertWith((value) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : value)),
    HasSchema({ type: 'integer', minimum: min, maximum: max, examples: [example] }),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

/** A required query parameter: the first and the last number of a range, as in `5-12`. */
export function IsRangeParameter({ example }: { example: string }) {
  return applyDecorators(
    ConvertWith((value) => RANGE.exec(String(value))?.slice(1).map(Number) ?? value),
    HasSchema({ type: 'string', pattern: RANGE.source, examples: [example] }, true),
    validateWith('isRange', (value) => {
      if (value === undefined) return `is required: a range such as ${example}`;
      const [first, last] = Array.isArray(value) ? (value as number[]) : [];
      return first! >= 1 && first! <= last! ? undefined : `must be a range such as ${example}`;
    }),
  );
}

/** A query parameter: a point in time that is not in the future. */
export function IsPastTime() {
  return applyDecorators(
    ConvertWith((value) => (TIME.test(String(value)) ? new Date(String(value)) : value)),
    HasSchema({ type: 'string', format: 'date-time', examples: [EXAMPLE_TIME] }),
    validateWith('isPastTime', findTimeIssue),
  );
}

/** A member of a body: a point in time in the future, or null. */
export function IsFutureTime() {
  return applyDecorators(
    ConvertWith((value) => (TIME.test(String(value)) ? new Date(String(value)) : value)),
    HasSchema({ type: ['string', 'null'], format: 'date-time' }),
    validateWith('isFutureTime', (value) => {
      if (value === null) return undefined;
      if (!isTime(value)) return `must be a time such as ${EXAMPLE_TIME}, or null`;
      return value.getTime() > Date.now() ? undefined : 'must be in the future';
    }),
  );
}

/** A required member of a body: one of these words. */
export function IsOneOf(words: readonly string[]) {
  return applyDecorators(
    HasSchema({ type: 'string', enum: words }, true),
    IsIn(words, { message: `must be one of ${words.join(', ')}` }),
  );
}

/** A member of a body: text that PostgreSQL can store unchanged, without white space around it. */
export function IsTrimmedText(limits: TextLimits & Nullability & Example) {
  return applyDecorators(
    ConvertWith((value) => (typeof value === 'string' ? value.trim() : value)),
    HasSchema(textSchema(limits), limits.isRequired),
    validateWith('isTrimmedText', (value) => findTextIssue(value, limits)),
  );
}

/** A member of a body: a whole number. */
export function IsIntegerMember({
  min,
  max,
  isRequired,
  example,
}: IntegerLimits & Nullability & Example) {
  const issue = `must be a whole number from ${min} to ${max}${isRequired ? '' : ', or null'}`;
  const type = isRequired ? 'integer' : ['integer', 'null'];
  return applyDecorators(
    HasSchema({ type, minimum: min, maximum: max, ...examplesOf(example) }, isRequired),
    validateWith('isIntegerMember', (value) => {
      if (value === null && !isRequired) return undefined;
      const isInRange = Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
      return typeof value === 'number' && isInRange ? undefined : issue;
    }),
  );
}

function textSchema({
  maxLength,
  isRequired,
  example,
}: TextLimits & Nullability & Example): Schema {
  return isRequired
    ? { type: 'string', minLength: 1, maxLength, ...examplesOf(example) }
    : { type: ['string', 'null'], maxLength, ...examplesOf(example) };
}

function examplesOf(example: Example['example']): Schema {
  return example === undefined ? {} : { examples: [example] };
}

/** A rule from a function that returns what is wrong with a value, or undefined. */
function validateWith(name: string, findIssue: (value: unknown) => string | undefined) {
  return ValidateBy({
    name,
    validator: {
      validate: (value) => findIssue(value) === undefined,
      defaultMessage: (validated) => findIssue(validated?.value) ?? '',
    },
  });
}

function isTime(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

function findTimeIssue(value: unknown): string | undefined {
  if (!isTime(value)) {
    return `must be a time such as ${EXAMPLE_TIME} (in an address, write + as %2B)`;
  }
  const isFuture = value.getTime() > Date.now() + CLOCK_TOLERANCE_MS;
  return isFuture ? 'must not be in the future' : undefined;
}

function findTextIssue(
  value: unknown,
  { maxLength, isRequired }: TextLimits & Nullability,
): string | undefined {
  if (value === undefined) return 'is required';
  if (value === null && !isRequired) return undefined;
  if (typeof value !== 'string') return `must be text${isRequired ? '' : ', or null'}`;
  if (isRequired && value === '') return 'must not be blank';
  if (value.includes('\0')) return 'must not contain a NUL character';
  if (!value.isWellFormed()) return 'must be well-formed Unicode: it has half of a surrogate pair';
  return findLengthIssue(value, maxLength);
}

/** Counts code units first: they are never fewer than characters, and counting them is free. */
function findLengthIssue(text: string, maxLength: number): string | undefined {
  if (text.length <= maxLength) return undefined;
  const length = [...text].length;
  if (length <= maxLength) return undefined;
  return `must have at most ${maxLength} characters, and has ${length}`;
}
