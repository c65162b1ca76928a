import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings.js';
import { MALFORMED_ADDRESS } from '../problems/failures.js';
import { ProblemError } from '../problems/problems.js';
import { addRequestStep } from './route-hooks.js';

const MAX_CACHED_HOSTS = 100;
/** Methods that change nothing (RFC 9110, section 9.2.1). */
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Rejects requests with a malformed or too long address, or with a `Host` that is not allowed. Call it before the
 * routes are registered. Without `allowedHosts` every `Host` is allowed.
 */
export function checkRequests(
  fastify: FastifyInstance,
  { allowedHosts, corsOrigins, limits }: Settings,
): void {
  const isAllowed = allowedHosts && cacheResults(hostCheck(allowedHosts));
  addRequestStep(fastify, (request) => {
    const { host } = request.headers;
    if (host === undefined) assertHttp10(request);
    else if (isAllowed && !isAllowed(host)) throw hostNotAllowed(host);
    if (request.headers.origin !== undefined) assertSameSite(request, corsOrigins);
    if (request.url.length > limits.urlLength) throw addressTooLong(limits.urlLength);
    if (request.url.includes('%')) assertWellEncoded(request.url);
  });
}

/**
 * A page of another site can send a form without asking first. It must not write (cross-site request forgery).
 * Browsers say where a request comes from: https://www.w3.org/TR/fetch-metadata/
 */
function assertSameSite({ method, headers }: FastifyRequest, allowed: readonly string[]): void {
  if (READS.has(method)) return;
  const { origin = '', host = '' } = headers;
  if (allowed.includes('*') || allowed.includes(origin)) return;
  const site = headers['sec-fetch-site'];
  const isSameSite = site === undefined ? isOfHost(origin, host) : site !== 'cross-site';
  if (isSameSite) return;
  throw new ProblemError(
    'cross_site',
    `Pages of ${origin} may not write here. Add this origin to CORS_ORIGINS if they may.`,
  );
}

/** Ports may differ: a proxy may not pass on its own. */
function isOfHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  return new URL(origin).hostname === host.replace(/:\d*$/, '').toLowerCase();
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
