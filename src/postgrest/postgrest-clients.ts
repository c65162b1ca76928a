import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Where Supabase's clients look for PostgREST: https://supabase.com/docs/guides/api */
const PREFIX = '/rest/v1';

/** The address without the prefix of Supabase. The page is at its own address only. */
export function withoutSupabasePrefix({ url = '/' }: IncomingMessage): string {
  const isBelow = url.startsWith(`${PREFIX}/`) && !/^\/(\?|$)/.test(url.slice(PREFIX.length));
  return isBelow ? url.slice(PREFIX.length) : url;
}

/** The prefix of the address of a request; empty without one. */
export function prefixOf({ originalUrl }: FastifyRequest): string {
  return originalUrl.startsWith(`${PREFIX}/`) ? PREFIX : '';
}

/** Whether the client expects the answers of PostgREST: by its address, or by a media type of PostgREST. */
export function expectsPostgrest(request: FastifyRequest): boolean {
  return prefixOf(request) !== '' || (request.headers.accept?.includes('vnd.pgrst.') ?? false);
}
