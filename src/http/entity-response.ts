import type { FastifyReply } from 'fastify';
import { matchesTag } from './entity-tags.js';
import { isRead } from './route-rules.js';

/**
 * Sends the version of a record as its `ETag` and returns the record without it, or answers 304 if the
 * client has this version (RFC 9110, sections 8.8.3 and 13.1.2).
 */
export function sendWithETag<T extends { version: number }>(
  reply: FastifyReply,
  { version, ...record }: T,
): Omit<T, 'version'> | undefined {
  reply.header('ETag', `"${version}"`);
  const { method, headers } = reply.request;
  if (!isRead(method) || !matchesTag(headers['if-none-match'], version)) return record;
  reply.code(304);
  return undefined;
}
