import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings.js';
import { MALFORMED_ADDRESS } from '../problems/failures.js';
import { ProblemError } from '../problems/problems.js';

const MAX_CACHED_HOSTS = 100;

/**
 * Rejects requests with a malformed or too long address, or with a `Host` that is not allowed. Call it before the
 * routes are registered. Without `allowedHosts` every `Host` is allowed.
 */
export function checkRequests(
  fastify: FastifyInstance,
  { allowedHosts, limits }: Pick<Settings, 'allowedHosts' | 'limits'>,
): void {
  const isAllowed = allowedHosts && cacheResults(hostCheck(allowedHosts));
  fastify.addHook('onRequest', (request, _, done) => {
    const { host } = request.headers;
    if (host === undefined) assertHttp10(request);
    else if (isAllowed && !isAllowed(host)) throw hostNotAllowed(host);
    if (request.url.length > limits.urlLength) throw addressTooLong(limits.urlLength);
    if (request.url.includes('%')) assertWellEncoded(request.url);
    done();
  });
}

/** Only HTTP/1.0 allows a request without Host (RFC 9112, section 3.2). */
function assertHttp10({ raw }: FastifyRequest): void {
  if (raw.httpVersion === '1.0') return;
  throw new ProblemError(
    'malformed_request',
    'The request has no Host header. HTTP/1.1 requires one.',
  );
}

/**
 * A page of another site can reach an address of this machine under a name of its own (DNS rebinding).
 * Its requests have that name as their `Host`.
 */
function hostNotAllowed(host: string): ProblemError {
  return new ProblemError(
    'host_not_allowed',
    `While access is open, only requests to this machine's own names are answered, not to "${host}". ` +
      'Use localhost, or add the name to ALLOWED_HOSTS.',
  );
}

function addressTooLong(limit: number): ProblemError {
  const detail = `The address has more than ${limit} characters (MAX_URL_LENGTH). Shorten its filter.`;
  return new ProblemError('address_too_long', detail);
}

function assertWellEncoded(url: string): void {
  try {
    decodeURIComponent(url);
  } catch {
    throw new ProblemError('malformed_address', MALFORMED_ADDRESS);
  }
}

function hostCheck(allowedHosts: readonly string[]) {
  const names = new Set(allowedHosts.map((name) => name.toLowerCase()));
  return (header: string): boolean => {
    const name = header.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
    return names.has(name) || name.endsWith('.localhost') || /^127(\.\d{1,3}){3}$/.test(name);
  };
}

/** Most clients send the same few names. */
function cacheResults(check: (text: string) => boolean): (text: string) => boolean {
  const results = new Map<string, boolean>();
  return (text) => {
    const cached = results.get(text);
    if (cached !== undefined) return cached;
    if (results.size >= MAX_CACHED_HOSTS) results.clear();
    const result = check(text);
    results.set(text, result);
    return result;
  };
}
