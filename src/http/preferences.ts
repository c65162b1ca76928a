import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problems.js';
import { suggest } from '../query/suggest.js';

/** The preference of `Server-Timing` in the answer. It has no value. */
export const SERVER_TIMING = 'server-timing';

const VALUES: Record<string, string[]> = {
  tx: ['commit', 'rollback'],
  resolution: ['merge-duplicates', 'ignore-duplicates'],
  count: ['exact', 'planned', 'estimated'],
  return: ['minimal', 'headers-only', 'representation'],
  missing: ['default', 'null'],
  handling: ['strict', 'lenient'],
  csv: ['safe'],
  [SERVER_TIMING]: [''],
};
const MAX_AFFECTED = 'max-affected';
const NO_PREFERENCES: Preferences = Object.freeze({});

/**
 * How the rows of a list are counted: all of them, by the planner's estimate, or by this estimate if it is
 * large.
 */
export type CountMode = 'exact' | 'planned' | 'estimated';

/** The preferences of a client (RFC 7240) that this service supports. */
export interface Preferences {
  tx?: 'commit' | 'rollback';
  resolution?: 'merge-duplicates' | 'ignore-duplicates';
  count?: CountMode;
  return?: 'minimal' | 'headers-only' | 'representation';
  /** What absent members of rows become. No column has a default besides null, so both mean the same. */
  missing?: 'default' | 'null';
  /** Whether an unsupported preference is an error (RFC 7240, section 4.4). */
  handling?: 'strict' | 'lenient';
  /** Whether CSV is written so that spreadsheets show formulas as text. */
  csv?: 'safe';
  [SERVER_TIMING]?: '';
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

/** Confirms `Prefer: handling`, which every route applies. */
export function confirmHandling(reply: FastifyReply): void {
  const { handling } = preferencesOf(reply.request);
  if (handling) confirmPreference(reply, `handling=${handling}`);
}

/** Confirms in `Preference-Applied` that a preference was applied (RFC 7240, section 3). */
export function confirmPreference(reply: FastifyReply, preference: string): void {
  const others = String(reply.getHeader('Preference-Applied') ?? '').split(', ');
  const all = new Set([...others, preference].filter(Boolean));
  reply.header('Preference-Applied', [...all].join(', '));
}

/**
 * Without `handling`, an unknown preference is ignored, and an unknown value of a supported one is an error:
 * it is more likely a mistake than a wish that may be ignored.
 */
function parsePreferences(header: string | string[]): Preferences {
  const items = [header].flat().join(',').split(',');
  const pairs = items.map((item) => item.split(';')[0]!.split('=').map(unquote));
  const handling = pairs.find(([name]) => name === 'handling')?.[1];
  if (handling === 'strict') pairs.forEach(assertSupported);
  const supported = pairs.filter(([name]) => isSupported(name!));
  const valid = handling === 'lenient' ? supported.filter(isValid) : supported;
  return Object.fromEntries(valid.map(validate));
}

function isSupported(name: string): boolean {
  return name === MAX_AFFECTED || Object.hasOwn(VALUES, name);
}

function assertSupported([name]: string[]): void {
  if (isSupported(name!)) return;
  const names = [...Object.keys(VALUES), MAX_AFFECTED];
  throw new ProblemError(
    'invalid_preference',
    `Prefer: ${name} is not supported, and handling=strict was sent: ${suggest(name!, names)}`,
  );
}

function isValid([name, value = '']: string[]): boolean {
  if (name === MAX_AFFECTED) return /^\d{1,15}$/.test(value);
  return VALUES[name!]!.includes(value);
}

function validate([name, value = '']: string[]): [string, string | number] {
  if (isValid([name!, value])) return [name!, name === MAX_AFFECTED ? Number(value) : value];
  const values = VALUES[name!] ?? ['a whole number'];
  throw new ProblemError(
    'invalid_preference',
    `Prefer: ${name}=${value} is not supported: ${suggest(value, values)}`,
  );
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^"|"$/g, '').toLowerCase();
}
