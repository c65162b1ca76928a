import type { FastifyRequest } from 'fastify';

const PREFIX = 'Bearer ';
const SPACE = 32;
const BEARER = /^Bearer +([\x21-\x7e]+)$/i;

/**
 * The API key of a request, from `Authorization: Bearer` (RFC 6750, section 2.1) or from `apikey`, the header
 * of Supabase's clients. Undefined without one; empty for another authentication scheme.
 */
export function credentialsOf({ headers }: FastifyRequest): string | undefined {
  const { authorization, apikey } = headers;
  if (authorization === undefined) return apikey === undefined ? undefined : String(apikey).trim();
  if (hasOneSpace(authorization)) return authorization.slice(PREFIX.length);
  return BEARER.exec(authorization.trim())?.[1] ?? '';
}

/** Most clients send it like this, and need no regular expression. Node has trimmed the header. */
function hasOneSpace(authorization: string): boolean {
  return authorization.startsWith(PREFIX) && authorization.charCodeAt(PREFIX.length) > SPACE;
}
