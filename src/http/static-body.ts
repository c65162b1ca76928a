import { hash } from 'node:crypto';
import { extname } from 'node:path';
import type { FastifyReply } from 'fastify';
import { compress, knownTag, sendCoding } from './compression.js';
import { addVary } from './response-headers.js';

const MEDIA_TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** The media type of a file that is served; undefined for one that is not. */
export function mediaTypeOf(name: string): string | undefined {
  return MEDIA_TYPES[extname(name)];
}

const tags = new WeakMap<Buffer, string>();

/** Sends bytes with a tag of their own: compressed, and only to clients without them. */
export async function sendBuffer(
  reply: FastifyReply,
  bytes: Buffer,
  cacheControl = reply.getHeader('Cache-Control') ?? 'no-cache',
): Promise<void> {
  const tag = tags.get(bytes) ?? hash('sha256', bytes, 'base64url').slice(0, 16);
  tags.set(bytes, tag);
  addVary(reply, 'Accept-Encoding');
  reply.header('Cache-Control', cacheControl);
  const known = knownTag(reply.request.headers['if-none-match'], tag);
  if (known !== undefined) return void reply.code(304).header('ETag', `"${known}"`).send();
  const coding = sendCoding(reply, tag, bytes.length);
  reply.send(coding ? await compress(bytes, coding) : bytes);
}
