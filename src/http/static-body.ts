import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { codedTag, codedTags, codingOf, compress } from './compression.js';
import { matchesTag } from './entity-tags.js';
import { addVary } from './response-headers.js';

const tags = new WeakMap<Buffer, string>();

/** Sends bytes that do not change while the service runs: compressed, and only to clients without them. */
export async function sendStatic(reply: FastifyReply, bytes: Buffer): Promise<void> {
  const tag = tags.get(bytes) ?? hash('sha256', bytes, 'base64url').slice(0, 16);
  tags.set(bytes, tag);
  addVary(reply, 'Accept-Encoding');
  reply.header('Cache-Control', 'no-cache');
  const known = reply.request.headers['if-none-match'];
  const matching = codedTags(tag).find((each) => matchesTag(known, each));
  if (matching !== undefined) return void reply.code(304).header('ETag', `"${matching}"`).send();
  const coding = codingOf(reply.request, bytes.length);
  reply.header('ETag', `"${codedTag(tag, coding)}"`);
  if (coding) reply.header('Content-Encoding', coding);
  reply.send(coding ? await compress(bytes, coding) : bytes);
}
