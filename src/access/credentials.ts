import type { FastifyRequest } from 'fastify';

const PREFIX = 'Bearer ';
const BEARER = /^Bearer +([\x21-\x7e]+)$/i;

/**
 * The API key of a request, from `Authorization: Bearer` (RFC 6750, section 2.1) or from `apikey`, the header
 * of Supabase's clients. Undefined without one; empty for another authentication scheme.
 */
export function credentialsOf({ headers }: FastifyRequest): string | undefined {
  const { authorization, apikey } = headers;
  if (authorization === undefined) return apikey === undefined ? undefined : String(apikey).trim();
  if (authorization.startsWith(PREFIX)) return authorization.slice(PREFIX.length).trim();
  return BEARER.exec(authorization.trim())?.[1] ?? '';
}
