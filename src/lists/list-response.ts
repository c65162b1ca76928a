import type { FastifyReply } from 'fastify';
import { confirmHandling, confirmPreference } from '../http/preferences.js';
import { prefixOf } from '../postgrest/postgrest-clients.js';
import { ProblemError } from '../problems/problems.js';
import { sendContentRange } from './content-range.js';
import { etagOf, type ListResult } from './list-result.js';
import type { ListRequest } from './list-request.js';
import { bufferStart, streamTo } from './list-streaming.js';
import { RowStream } from './row-stream.js';

/** Sends a list in the requested format, with its pages and counts as headers. */
export async function sendList(
  reply: FastifyReply,
  request: ListRequest,
  result: ListResult,
): Promise<void> {
  const { rows, version } = result;
  reply.header('Vary', 'Accept, Prefer, Range');
  confirmHandling(reply);
  try {
    if (version !== undefined) reply.header('ETag', `"${etagOf(request, version)}"`);
    if (result.isNotModified) return void reply.code(304).send();
    if (request.formatName === 'safe-csv') confirmPreference(reply, 'csv=safe');
    sendContentRange(reply, request, result);
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
  const url = prefixOf(reply.request) + reply.request.url;
  const links = Object.entries(pages).flatMap(([relation, changes]) =>
    changes ? [`<${changeQuery(url, { ...changes, limit })}>; rel="${relation}"`] : [],
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
