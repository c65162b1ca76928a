import type { FastifyReply } from 'fastify';
import { isKnown } from './entity-tags.js';

/**
 * Shows a record with its version in the ETag header in place of the body, and answers 304 to who has
 * it already (RFC 9110, sections 8.8.3 and 13.1.2).
 */
export function showVersioned<T extends { version: number }>(
  reply: FastifyReply,
  { version, ...shown }: T,
): Omit<T, 'version'> | undefined {
  reply.header('ETag', `"${version}"`);
  const { method, headers } = reply.request;
  const isRead = method === 'GET' || method === 'HEAD';
  if (!isRead || !isKnown(headers['if-none-match'], version)) return shown;
  reply.code(304);
  return undefined;
}
