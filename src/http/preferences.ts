import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problems.js';
import { suggest } from '../query/suggest.js';

const VALUES: Record<string, string[]> = {
  tx: ['commit', 'rollback'],
  resolution: ['merge-duplicates', 'ignore-duplicates'],
  count: ['exact', 'planned', 'estimated'],
  return: ['minimal', 'representation'],
};
const MAX_AFFECTED = 'max-affected';
const NO_PREFERENCES: Preferences = Object.freeze({});

/**
 * How the rows of a list are counted: all of them, by the planner's estimate, or by this estimate if it is
 * large.
 */
export type CountMode = 'exact' | 'planned' | 'estimated';

/** The preferences of a client (RFC 7240) that this service supports. Others are ignored. */
export interface Preferences {
  tx?: 'commit' | 'rollback';
  resolution?: 'merge-duplicates' | 'ignore-duplicates';
  count?: CountMode;
  return?: 'minimal' | 'representation';
  /** The largest number of records that a bulk change may affect. */
  'max-affected'?: number;
}

const parsedPreferences = new WeakMap<FastifyRequest, Preferences>();

/**
 * The preferences of a request. They are parsed once.
 * @throws {ProblemError} `invalid_preference` if a supported preference has an unknown value.
 */
export function preferencesOf(request: FastifyRequest): Preferences {
  const header = request.headers.prefer;
  if (header === undefined) return NO_PREFERENCES;
  const preferences = parsedPreferences.get(request) ?? parsePreferences(header);
  parsedPreferences.set(request, preferences);
  return preferences;
}

/** Confirms in `Preference-Applied` that a preference was applied (RFC 7240, section 3). */
export function confirmPreference(reply: FastifyReply, preference: string): void {
  const others = String(reply.getHeader('Preference-Applied') ?? '').split(', ');
  const all = new Set([...others, preference].filter(Boolean));
  reply.header('Preference-Applied', [...all].join(', '));
}

function parsePreferences(header: string | string[]): Preferences {
  const items = [header].flat().join(',').split(',');
  const pairs = items.map((item) => item.split(';')[0]!.split('=').map(unquote));
  return Object.fromEntries(pairs.filter(([name]) => isSupported(name!)).map(validate));
}

function isSupported(name: string): boolean {
  return name === MAX_AFFECTED || Object.hasOwn(VALUES, name);
}

function validate([name, value]: string[]): [string, string | number] {
  if (name === MAX_AFFECTED && /^\d{1,15}$/.test(value ?? '')) return [name, Number(value)];
  const values = VALUES[name!] ?? ['a whole number'];
  if (values.includes(value ?? '')) return [name!, value!];
  throw new ProblemError(
    'invalid_preference',
    `Prefer: ${name}=${value ?? ''} is not supported: ${suggest(value ?? '', values)}`,
  );
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^"|"$/g, '').toLowerCase();
}
