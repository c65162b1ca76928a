import type { FastifyReply } from 'fastify';
import type { DatabaseVersion } from '../journal/database-versions.js';
import { compress, compressStream, knownTag, sendCoding } from '../http/compression.js';
import { sendToken } from '../http/read-consistency.js';
import { addVary } from '../http/response-headers.js';
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
  addVary(reply, 'Accept, Accept-Encoding, Prefer, Range');
  confirmHandling(reply);
  try {
    if (result.isNotModified) return sendNotModified(reply, request, version!);
    if (request.formatName === 'safe-csv') confirmPreference(reply, 'csv=safe');
    sendContentRange(reply, request, result);
    sendLinks(reply, request, result);
    reply.type(`${request.format.mediaType}; charset=utf-8`);
    if (rows !== undefined && !request.isSingle)
      return await sendRows(reply, request, result, rows);
    if (version) reply.header('ETag', `"${etagOf(request, version)}"`);
    reply.send(rows && (await singleRow(rows)));
  } finally {
    if (rows instanceof RowStream) await rows.close();
  }
}

function sendNotModified(
  reply: FastifyReply,
  request: ListRequest,
  version: DatabaseVersion,
): void {
  const known = knownTag(request.ifNoneMatch, etagOf(request, version));
  reply.code(304).header('ETag', `"${known}"`).send();
}

/** Sends rows in the content coding that the client prefers. */
async function sendRows(
  reply: FastifyReply,
  request: ListRequest,
  { version }: ListResult,
  rows: Buffer | RowStream,
): Promise<void> {
  const tag = version && etagOf(request, version);
  const isBuffer = Buffer.isBuffer(rows);
  const coding = sendCoding(reply, tag, isBuffer ? rows.length : undefined);
  if (isBuffer) {
    reply.send(coding ? await compress(rows, coding) : rows);
    return;
  }
  await sendToken(reply);
  const chunks = coding ? compressStream(rows, coding) : rows;
  await streamTo(reply, chunks, request.client.signal);
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

/** Sends `Link` with the neighbouring pages (RFC 8288). A page that was found by its offset has cursors too. */
function sendLinks(reply: FastifyReply, { query }: ListRequest, { cursors }: ListResult): void {
  const { limit } = query;
  if (!limit) return;
  const pages: Record<string, string | undefined> = {
    prev: cursors.previous,
    next: cursors.next,
  };
  const url = prefixOf(reply.request) + reply.request.url;
  const linkTo = (relation: string, after?: string) =>
    `<${changeQuery(url, { after, offset: undefined, limit })}>; rel="${relation}"`;
  const links = Object.entries(pages).flatMap(([relation, after]) =>
    after === undefined ? [] : linkTo(relation, after),
  );
  reply.header('Link', [linkTo('first'), ...links].join(', '));
}

function changeQuery(url: string, changes: QueryChanges): string {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) searchParams.delete(name);
    else searchParams.set(name, String(value));
  }
  return `${pathname}?${searchParams.toString()}`;
}
