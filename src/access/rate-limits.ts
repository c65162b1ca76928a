import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Limits } from '../config/settings.js';
import { addRequestStep } from '../http/route-hooks.js';
import { ProblemError } from '../problems/problems.js';
import { networkOf } from './client-address.js';
import { shareCounts } from '../workers/shared-counts.js';
import { isWorker } from '../workers/this-worker.js';
import { RequestCounts } from './request-counts.js';

/**
 * Limits the requests per minute of each API key and, for requests without a valid one, of each address (of an
 * IPv6 address, its /64 network). Each instance counts for itself; its workers count together. Health checks are not counted.
 *
 * The header is that of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ since its
 * version 8. `@fastify/rate-limit` would cost a small request a fifth: `docs/performance.md` has the figures.
 */
export function limitRequests(
  fastify: FastifyInstance,
  { requestsPerMinutePerKey: perKey, requestsPerMinutePerAddress: perAddress }: Limits,
  findKeyId: (request: FastifyRequest) => number | undefined,
): void {
  if (!perKey && !perAddress) return;
  const counts = new RequestCounts(isWorker);
  const stopSharing = shareCounts(counts);
  fastify.addHook('onClose', async () => stopSharing());
  addRequestStep(fastify, (request, reply) => {
    const keyId = findKeyId(request);
    const limit = keyId === undefined ? perAddress : perKey;
    if (!limit || request.url.startsWith('/health/')) return;
    const client = keyId ?? networkOf(request.ip);
    const remaining = counts.count(client, limit);
    // a client with most of its requests left need not be told, and each header costs time
    if (remaining > limit / 2) return;
    const { resetSeconds } = counts;
    const name = keyId === undefined ? 'address' : 'key';
    reply.header('ratelimit', `"${name}";r=${Math.max(0, remaining)};t=${resetSeconds}`);
    if (remaining >= 0) return;
    reply.header('ratelimit-policy', `"${name}";q=${limit};w=60`);
    reply.header('retry-after', resetSeconds);
    throw tooManyRequests(limit, resetSeconds);
  });
}

function tooManyRequests(limit: number, seconds: number): ProblemError {
  return new ProblemError(
    'too_many_requests',
    `More than ${limit} requests in a minute. Send the next one in ${seconds} seconds.`,
  );
}
