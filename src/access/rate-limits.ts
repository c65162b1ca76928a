import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Limits } from '../config/settings.js';
import { ProblemError } from '../problems/problems.js';

const MINUTE_MS = 60_000;
/** The number of clients whose requests are counted. Beyond it those that came first are forgotten. */
const MAX_CLIENTS = 20_000;
const KEY_PREFIX = 'key ';

/**
 * Limits the requests per minute of each API key and, for requests without a valid one, of each address (of an
 * IPv6 address, its /64 network). Each instance counts for itself. Health checks are not counted.
 */
export async function limitRequests(
  fastify: FastifyInstance,
  { requestsPerMinutePerKey, requestsPerMinutePerAddress }: Limits,
  findKeyId: (request: FastifyRequest) => number | undefined,
): Promise<void> {
  if (!requestsPerMinutePerKey && !requestsPerMinutePerAddress) return;
  const limitOf = (client: string) =>
    client.startsWith(KEY_PREFIX) ? requestsPerMinutePerKey : requestsPerMinutePerAddress;
  await fastify.register(rateLimit, {
    global: false,
    enableDraftSpec: true,
    timeWindow: MINUTE_MS,
    cache: MAX_CLIENTS,
    max: (_, client: string) => limitOf(client),
    keyGenerator: (request) => {
      const keyId = findKeyId(request);
      return keyId === undefined ? rateLimit.normalizeIP(request.ip) : `${KEY_PREFIX}${keyId}`;
    },
    allowList: (request, client: string) => !limitOf(client) || isHealthCheck(request),
    errorResponseBuilder: (_, { max, ttl }) => tooManyRequests(max, ttl),
  });
  fastify.addHook('onRequest', fastify.rateLimit());
}

function isHealthCheck({ url }: FastifyRequest): boolean {
  return url.startsWith('/health/');
}

function tooManyRequests(limit: number, ttlMs: number): ProblemError {
  return new ProblemError(
    'too_many_requests',
    `More than ${limit} requests in a minute. Send the next one in ${Math.ceil(ttlMs / 1000)} seconds.`,
  );
}
