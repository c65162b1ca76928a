import { BadRequestException, ForbiddenException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MALFORMED_ADDRESS } from './problem.filter.js';

const MAX_REMEMBERED_HOSTS = 100;

/**
 * Refuses requests whose address or `Host` cannot be meant for this service. Call before the routes are
 * registered. `allowedHosts` is undefined if every `Host` is answered.
 */
export function checkRequests(fastify: FastifyInstance, allowedHosts?: readonly string[]): void {
  const isAllowed = allowedHosts && rememberAnswers(hostCheck(allowedHosts));
  fastify.addHook('onRequest', (request, _, done) => {
    const { host } = request.headers;
    if (host === undefined) refuseWithoutHost(request);
    else if (isAllowed && !isAllowed(host)) refuseHost(host);
    if (request.url.includes('%')) refuseBadEncoding(request.url);
    done();
  });
}

/** RFC 9112, section 3.2. */
function refuseWithoutHost({ raw }: FastifyRequest): void {
  if (raw.httpVersion === '1.0') return;
  throw new BadRequestException('The request has no Host header: HTTP/1.1 needs one.');
}

/**
 * A page of another site can send requests to an address on this machine, under a name of its own that
 * leads there (DNS rebinding). Its requests carry that name.
 */
function refuseHost(host: string): void {
  throw new ForbiddenException(
    `Access is open, and so only requests to this machine's own names are answered, not to "${host}": ` +
      'use localhost, or name the host in ALLOWED_HOSTS.',
  );
}

function refuseBadEncoding(url: string): void {
  try {
    decodeURIComponent(url);
  } catch {
    throw new BadRequestException(MALFORMED_ADDRESS);
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
function rememberAnswers(check: (text: string) => boolean): (text: string) => boolean {
  const answers = new Map<string, boolean>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    if (answers.size >= MAX_REMEMBERED_HOSTS) answers.clear();
    const answer = check(text);
    answers.set(text, answer);
    return answer;
  };
}
