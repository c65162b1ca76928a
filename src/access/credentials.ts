import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problems.js';

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;

export function hasCredentials({ headers }: FastifyRequest): boolean {
  return headers.authorization !== undefined || headers.apikey !== undefined;
}

/**
 * The API key of a request, from `Authorization: Bearer` (RFC 6750, section 2.1) or from `apikey`, the header
 * of Supabase's clients. Undefined without one.
 * @throws {ProblemError} `invalid_key` for another authentication scheme.
 */
export function credentialsOf(request: FastifyRequest): string | undefined {
  const key = presentedKey(request);
  if (key !== undefined || request.headers.authorization === undefined) return key;
  throw new ProblemError('invalid_key', 'Send the API key as Authorization: Bearer mr_….');
}

/** As `credentialsOf`. Undefined for another authentication scheme. */
export function presentedKey({ headers }: FastifyRequest): string | undefined {
  const { authorization, apikey } = headers;
  if (authorization !== undefined) return BEARER.exec(authorization.trim())?.[1];
  return apikey === undefined ? undefined : String(apikey).trim();
}
