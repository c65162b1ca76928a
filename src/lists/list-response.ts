import type { FastifyReply } from 'fastify';
import { confirmPreference } from '../http/preferences.js';
import { ProblemError } from '../problems/problems.js';
import { etagOf, type ListResult } from './list-result.js';
import type { ListRequest } from './list-request.js';
import { bufferStart, streamTo } from './list-streaming.js';
import { RowStream } from './row-stream.js';

/**
 * Sends a list in the requested format. Its pages and counts are sent as headers: RFC 9110, sections
 * 14.4 and 15.3.7, with rows as the unit, and RFC 8288.
 */
export async function sendList(
  reply: FastifyReply,
  request: ListRequest,
  result: ListResult,
): Promise<void> {
  const { rows, version } = result;
  reply.header('Vary', 'Accept, Prefer');
  try {
    if (version !== undefined) reply.header('ETag', `"${etagOf(request, version)}"`);
    if (result.isNotModified) return void reply.code(304).send();
    if (request.isCounted) sendCounts(reply, request, result);
    sendLinks(reply, request, result);
    reply.type(`${request.format.mediaType}; charset=utf-8`);
    if (rows === undefined) reply.send();
    else if (request.isSingle) reply.send(await singleRow(rows));
    else if (Buffer.isBuffer(rows)) reply.send(rows);
    else await streamTo(reply, rows, request.client.signal);
  } finally {
    if (rows instanceof RowStream) await rows.close();
  }
}

async function singleRow(rows: Buffer | RowStream): Promise<string> {
  const { start } = Buffer.isBuffer(rows)
    ? { start: rows }
    : await bufferStart(rows[Symbol.asyncIterator]());
  const lines = String(start).split('\n').slice(0, -1);
  if (lines.length === 1) return lines[0]!;
  const count = lines.length ? 'more than one' : '0 rows';
  throw new ProblemError(
    'not_acceptable',
    `One row was requested, and there are ${count}. Use a filter that selects exactly one.`,
  );
}

/** Sends `Content-Range`, and 206 for a part of the list. */
function sendCounts(reply: FastifyReply, { query }: ListRequest, { counts }: ListResult): void {
  confirmPreference(reply, 'count=exact');
  if (!counts) return;
  const { limit = Infinity, offset, after } = query;
  const { total, remaining } = counts;
  const size = Math.min(limit, Math.max(0, remaining - offset));
  const start = after?.isBackward ? remaining - size : total - remaining + offset;
  const range = size ? `${start}-${start + size - 1}` : '*';
  reply.header('Content-Range', `${range}/${total}`);
  if (offset && offset >= total) {
    throw new ProblemError(
      'range_not_satisfiable',
      `The offset ${offset} is past the end of the list: it has ${total} rows.`,
    );
  }
  if (size < total) reply.code(206);
}

type QueryChanges = Record<string, string | number | undefined>;

/** Sends `Link` with the neighbouring pages (RFC 8288). */
function sendLinks(reply: FastifyReply, { query }: ListRequest, { cursors }: ListResult): void {
  const { limit, offset } = query;
  if (!limit) return;
  const pages: Record<string, QueryChanges | undefined> = {
    first: { after: undefined, offset: undefined },
    prev: offset
      ? { offset: Math.max(0, offset - limit) }
      : cursors.previous === undefined
        ? undefined
        : { after: cursors.previous },
    next:
      cursors.next === undefined
        ? undefined
        : offset
          ? { offset: offset + limit }
          : { after: cursors.next },
  };
  const { url } = reply.request;
  const links = Object.entries(pages).flatMap(([relation, changes]) =>
    changes ? [`<${changeQuery(url, changes)}>; rel="${relation}"`] : [],
  );
  reply.header('Link', links.join(', '));
}

function changeQuery(url: string, changes: QueryChanges): string {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) searchParams.delete(name);
    else searchParams.set(name, String(value));
  }
  return `${pathname}?${searchParams.toString()}`;
}
