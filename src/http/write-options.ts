import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WriteOptions as JournalWriteOptions } from '../journal/write-options.js';
import { ProblemError } from '../problems/problems.js';
import { parseEntityTags } from './entity-tags.js';
import { headerParameter } from './api-operation.js';
import { fromRequest } from './from-request.js';
import { prefixOf } from '../postgrest/postgrest-clients.js';
import {
  confirmHandling,
  confirmPreference,
  preferencesOf,
  type Preferences,
} from './preferences.js';
import { uniqueIdOf } from './request-id.js';

/** A quoted string (RFC 9651, section 3.3.3), or the unquoted text that many clients send. */
const KEY = /^"([\x20-\x7e]{1,255})"$|^([\x21\x23-\x7e]{1,255})$/;

/** The conditions of a write, and what its response contains. */
export interface WriteOptions extends JournalWriteOptions {
  requestId: string;
  /** `Prefer: return`. The default is a summary, and below the address of Supabase nothing. */
  returns?: Preferences['return'];
  /** Whether a bulk change needs no `Prefer: max-affected`. */
  mayAffectMany?: boolean;
  /** `Prefer: resolution`. */
  resolution?: Preferences['resolution'];
}

const IDEMPOTENCY_KEY = headerParameter(
  'Idempotency-Key',
  'A request that is repeated with the same key is executed once, and answered as the first time.',
  '"8f14e45f-ceea-467f-a830-6cf4a3b0e7ad"',
);
const HEADERS = [
  IDEMPOTENCY_KEY,
  headerParameter('If-Match', 'The write is executed only if this is the current `ETag`.', '"1"'),
  headerParameter('If-None-Match', 'With `*`, `PUT` creates, and fails if there is such a record.'),
  headerParameter(
    'Prefer',
    'Preferences (RFC 7240): `tx=rollback` stores nothing, `return=representation` answers with the records, ' +
      '`resolution=merge-duplicates`, `max-affected=10`, `handling=strict`.',
    'tx=rollback',
  ),
];

/** Preferences that only some routes apply. */
type OptionalPreference = 'return' | 'resolution' | 'max-affected' | 'missing';

/**
 * Gives a handler the options of a write, from `If-Match`, `If-None-Match`, `Idempotency-Key`
 * (draft-ietf-httpapi-idempotency-key-header) and `Prefer`. Besides `tx`, the route applies the preferences
 * `applied`.
 */
export const WriteOptions = (...applied: OptionalPreference[]) =>
  fromRequest((request, reply): WriteOptions => {
    const { headers, principal } = request;
    const preferences = preferencesOf(request);
    const dryRun = preferences.tx === 'rollback';
    confirmHandling(reply);
    for (const name of ['tx', ...applied] as const) confirmOnRead(reply, name, preferences[name]);
    const key = parseKey(headers['idempotency-key']);
    return {
      dryRun,
      by: principal?.name,
      mayAffectMany: principal?.role !== 'writer',
      requestId: requestIdOf(request, key),
      hasIdempotencyKey: key !== undefined,
      returns: preferences.return ?? (prefixOf(request) ? 'minimal' : undefined),
      returnsRepresentation: preferences.return === 'representation',
      ifMatch: parseVersions(headers['if-match']),
      mustBeNew: headers['if-none-match']?.trim() === '*',
      maxAffected: applied.includes('max-affected') ? preferences['max-affected'] : undefined,
      resolution: applied.includes('resolution') ? preferences.resolution : undefined,
    };
  }, HEADERS);

/** The author of a write, and the id by which a repeated request is recognized. */
export interface Authorship {
  requestId: string;
  by?: string;
}

/** Gives a handler the authorship of a write that has no other options. */
export const AuthorshipOfRequest = () =>
  fromRequest(
    (request): Authorship => {
      if (preferencesOf(request).tx === 'rollback') throw noDryRun();
      const key = parseKey(request.headers['idempotency-key']);
      return { requestId: requestIdOf(request, key), by: request.principal?.name };
    },
    [IDEMPOTENCY_KEY],
  );

function noDryRun(): ProblemError {
  const detail = 'Prefer: tx=rollback is not supported here. Nothing was stored.';
  return new ProblemError('invalid_preference', detail);
}

/** Clients with different API keys may use the same Idempotency-Key. */
function requestIdOf(request: FastifyRequest, key: string | undefined): string {
  if (key === undefined) return uniqueIdOf(request);
  const { principal } = request;
  return principal ? `${principal.name}\n${key}` : key;
}

/** `return` is confirmed with the response. */
function confirmOnRead(
  reply: FastifyReply,
  name: OptionalPreference | 'tx',
  value?: string | number,
): void {
  if (name !== 'return' && value !== undefined) confirmPreference(reply, `${name}=${value}`);
}

function parseKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, quoted, unquoted] = KEY.exec(String(header).trim()) ?? [];
  const key = quoted ?? unquoted;
  if (key !== undefined) return key;
  throw new ProblemError(
    'invalid_header',
    'Idempotency-Key takes up to 255 printable ASCII characters in quotes, such as a new UUID.',
  );
}

/** The tag of a version: that of a list may also name its format and its content coding. */
const VERSION_TAG = /^([1-9]\d{0,8})(?:-[a-z-]+)?$/;

/** A weak tag, or a text that is no version, matches no version. */
function parseVersions(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined) return undefined;
  const tags = parseEntityTags(ifMatch);
  if (tags === '*') return undefined;
  return tags.flatMap(({ value, isWeak }) => {
    const [, version] = VERSION_TAG.exec(value) ?? [];
    return version === undefined || isWeak ? [] : Number(version);
  });
}
