import { applyDecorators } from '@nestjs/common';
import { IsInt, Max, Min, ValidateBy, ValidateIf } from 'class-validator';
import { ReadBy } from './input.js';

/** RFC 3339, section 5.6, with the offset that makes it one point in time. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;
const CLOCK_TOLERANCE_MS = 60_000;

/** A member or parameter that may be left out. */
export function IfSent() {
  return ValidateIf((_, value) => value !== undefined);
}

/** A query parameter that is a whole number in decimal digits. */
export function IsWholeNumber({ least, most }: { least: number; most: number }) {
  const message = `must be a whole number from ${least} to ${most}`;
  return applyDecorators(
    ReadBy((value) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : value)),
    IsInt({ message }),
    Min(least, { message }),
    Max(most, { message }),
  );
}

/** A query parameter that is a point in time, and not in the future. */
export function IsPastTime() {
  return applyDecorators(
    ReadBy((value) => (TIME.test(String(value)) ? new Date(String(value)) : value)),
    ValidateBy({
      name: 'isPastTime',
      validator: {
        validate: (value) => findFault(value) === undefined,
        defaultMessage: (told) => findFault(told?.value) ?? '',
      },
    }),
  );
}

function findFault(value: unknown): string | undefined {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
    return 'must be a time such as 2026-01-01T00:00:00Z (a + is written %2B in an address)';
  }
  const isFuture = value.getTime() > Date.now() + CLOCK_TOLERANCE_MS;
  return isFuture ? 'must not be in the future' : undefined;
}
