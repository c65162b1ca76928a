import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min, ValidateBy, ValidateIf } from 'class-validator';

/** The largest number a PostgreSQL integer holds: no marathon's id is above it. */
export const LARGEST_ID = 2_147_483_647;

/** What a marathon is described by, from whoever creates or replaces one. */
export class MarathonDetails {
  @IsText({ longest: 100 })
  name!: string;

  @IsCity()
  city: string | null = null;

  @IsYear()
  inception_year: number | null = null;
}

/** What changes about a marathon: the members that are sent, as in a merge patch (RFC 7396). */
export class MarathonChanges {
  @IfSent()
  @IsText({ longest: 100 })
  name?: string;

  @IfSent()
  @IsCity()
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

function IsCity() {
  return applyDecorators(OrNull(), IsText({ longest: 50, mayBeEmpty: true }));
}

function IsYear() {
  const message = 'must be a whole number from 1 to 9999, or null';
  return applyDecorators(OrNull(), IsInt({ message }), Min(1, { message }), Max(9999, { message }));
}

function OrNull() {
  return ValidateIf((_, value) => value !== null);
}

function IfSent() {
  return ValidateIf((_, value) => value !== undefined);
}

/** Text that PostgreSQL can keep exactly as sent; its length counts characters, not bytes. */
function IsText(limits: { longest: number; mayBeEmpty?: boolean }) {
  return applyDecorators(
    Transform(({ value }) => (typeof value === 'string' ? value.trim() : value)),
    ValidateBy({
      name: 'isText',
      validator: {
        validate: (value) => findFault(value, limits) === undefined,
        defaultMessage: (text) => findFault(text?.value, limits) ?? '',
      },
    }),
  );
}

function findFault(
  value: unknown,
  limits: { longest: number; mayBeEmpty?: boolean },
): string | undefined {
  if (value === undefined) return 'is required';
  if (typeof value !== 'string') return `must be text${limits.mayBeEmpty ? ', or null' : ''}`;
  if (!limits.mayBeEmpty && value === '') return 'must not be blank';
  if (value.includes('\0')) return 'must not contain a NUL character';
  if (!value.isWellFormed()) return 'must be well-formed Unicode: it has half of a surrogate pair';
  const length = [...value].length;
  if (length <= limits.longest) return undefined;
  return `must have at most ${limits.longest} characters, and has ${length}`;
}
