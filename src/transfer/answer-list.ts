import { HttpException, HttpStatus, NotAcceptableException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Deadline } from '../database/deadline.js';
import { startDeadline } from '../database/opening.js';
import type { OnLeave } from '../database/shared-reads.js';
import type { Listing } from '../query/listing.js';
import type { Format, FormatName } from './formats.js';
import type { OpenList, Version } from './list-query.js';
import type { Reading, Use } from './list-reader.js';
import { isKnown } from '../http/entity-tags.js';
import { linkPages, onClientLeaving, readWhole, sendBytes } from '../http/list-reply.js';
import { negotiate } from '../http/negotiation.js';
import { confirmPreference, readPreferences } from '../http/preferences.js';

/** What a list is answered from. */
export interface AnswerableList {
  listing: Listing;
  /** What `?format=` says, if anything. */
  format?: FormatName;
  formats: Record<FormatName, Format>;
  /** The same while the list is; without, nobody may keep it. */
  findVersion?: (endsAt: number) => Promise<Version>;
  /** That of the request; without, it starts with the list. */
  deadline?: Deadline;
  read: (listing: Listing, reading: Reading, use: Use) => Promise<void>;
}

/**
 * Answers with a list in the format that the client takes, its pages and its count in headers
 * (RFC 9110, sections 14.4 and 15.3.7, with rows for a unit; RFC 8288).
 */
export async function answerList(reply: FastifyReply, list: AnswerableList): Promise<void> {
  const { headers, method } = reply.request;
  const { deadline = startDeadline() } = list;
  const name = list.format ?? negotiate(reply.request, list.formats);
  const format = list.formats[name];
  const tagOf = ({ seq }: Version) => (name === 'json' ? `${seq}` : `${seq}-${name}`);
  reply.header('Vary', 'Accept, Prefer');
  // without a condition, the version is read with the list
  const condition = headers['if-none-match'];
  const version = condition === undefined ? undefined : await list.findVersion?.(deadline.endsAt);
  if (version !== undefined && isKnown(condition, tagOf(version))) {
    return void reply
      .code(304)
      .header('ETag', `"${tagOf(version)}"`)
      .send();
  }
  const isCounted = readPreferences(headers.prefer).count === 'exact';
  if (isCounted) confirmPreference(reply, 'count=exact');
  const listing = name === 'object' ? { ...list.listing, limit: 2 } : list.listing;
  const onLeave: OnLeave = (leave) => onClientLeaving(reply, leave);
  const sharedAs = method === 'GET' ? `${reply.request.url} ${name} ${isCounted}` : undefined;
  const { findVersion } = list;
  const isTooLate = () => reply.sent;
  const needsRows = method !== 'HEAD';
  const common = { format, isCounted, needsRows, deadline };
  const reading = { ...common, onLeave, isTooLate, sharedAs, findVersion };
  await list.read(listing, reading, async (open) => {
    if (open.counted) describeRange(reply, listing, open.counted);
    if (open.version !== undefined) reply.header('ETag', `"${tagOf(open.version)}"`);
    linkNeighbours(reply, listing, open);
    reply.type(`${format.mediaType}; charset=utf-8`);
    if (!needsRows) reply.send();
    else if (name === 'object') reply.send(await readOne(open.rows));
    else if (Buffer.isBuffer(open.rows)) reply.send(open.rows);
    else await sendBytes(reply, open.rows, open.keepOpen);
  });
}

/** PostgREST's clients ask so for exactly one row. */
async function readOne(rows: AsyncIterable<Buffer> | Buffer): Promise<string> {
  const bytes = Buffer.isBuffer(rows) ? rows : await readWhole(rows);
  const lines = String(bytes).split('\n').slice(0, -1);
  if (lines.length === 1) return lines[0]!;
  const count = lines.length ? 'more than one' : '0 rows';
  throw new NotAcceptableException(`One was asked for, and there are ${count}.`);
}

function describeRange(
  reply: FastifyReply,
  { limit = Infinity, offset, after }: Listing,
  { total, beyond }: { total: number; beyond: number },
): void {
  const size = Math.min(limit, Math.max(0, beyond - offset));
  const start = after?.isBackward ? beyond - size : total - beyond + offset;
  const rows = size ? `${start}-${start + size - 1}` : '*';
  reply.header('Content-Range', `${rows}/${total}`);
  if (offset && offset >= total) {
    throw new HttpException(
      `There are ${total}, and the offset ${offset} is past them.`,
      HttpStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    );
  }
  if (size < total) reply.code(206);
}

function linkNeighbours(reply: FastifyReply, listing: Listing, { neighbours }: OpenList): void {
  const { limit, offset } = listing;
  if (!limit) return;
  const { next, previous } = neighbours;
  const before = offset ? { offset: Math.max(0, offset - limit) } : previous && { after: previous };
  const beyond = offset && next ? { offset: offset + limit } : next && { after: next };
  const first = { after: undefined, offset: undefined };
  linkPages(reply, { first, prev: before || undefined, next: beyond || undefined });
}
