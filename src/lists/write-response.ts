import type { FastifyReply } from 'fastify';
import { confirmPreference, preferencesOf } from '../http/preferences.js';
import type { ChangeRange } from '../journal/change-counts.js';
import type { WriteOptions } from '../http/write-options.js';

/** Sends the summary of a write, or no body if the client prefers that (RFC 7240, section 4.2). */
export function sendSummary(reply: FastifyReply, { returns }: WriteOptions, summary: object): void {
  if (preferencesOf(reply.request).return) confirmPreference(reply, `return=${returns}`);
  if (returns !== 'minimal' && returns !== 'headers-only') return void reply.send(summary);
  reply.code(reply.statusCode === 201 ? 201 : 204).send();
}

/** Sends which changes a write made, by which it can be undone. A dry run made none. */
export function sendRange(
  reply: FastifyReply,
  range: ChangeRange | null,
  { dryRun }: WriteOptions,
): void {
  if (range && !dryRun) reply.header('Change-Range', range.join('-'));
}
