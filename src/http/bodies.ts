import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { BadRequestException, PayloadTooLargeException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { JSON_TYPES, ROW_TYPES } from './media-types.js';
import { RowsFile } from './rows-body.js';

const LARGEST_OBJECT_BYTES = 1_048_576;
const OPENS_ARRAY = 0x5b;
const WHITE_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads one JSON object into memory, as RFC 8259 has it: in UTF-8 and nothing else, so that no letter
 * is ever swapped. A JSON array, and every type made of rows, becomes a `RowsFile`.
 */
export function readBodies(fastify: FastifyInstance): void {
  const parseJson = promisify<FastifyRequest, string, unknown>(
    fastify.getDefaultJsonParser('error', 'error'),
  );
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(ROW_TYPES, async (request: FastifyRequest, payload: Readable) => {
    if (takesRows(request)) return RowsFile.receive(mediaTypeOf(request), payload);
    payload.resume();
    return undefined;
  });
  fastify.addContentTypeParser(JSON_TYPES, async (request: FastifyRequest, payload: Readable) => {
    const start = await readStart(payload);
    if (!start.length) return undefined;
    if (start[0] !== OPENS_ARRAY || !takesRows(request)) {
      return parseJson(request, await readObject(payload, start));
    }
    payload.unshift(start);
    return RowsFile.receive(mediaTypeOf(request), payload);
  });
  fastify.addHook('onResponse', async ({ body }) => {
    if (body instanceof RowsFile) await body.discard();
  });
}

/** The first bytes that are not white space; none where there is no body. */
async function readStart(payload: Readable): Promise<Buffer> {
  let blanks = 0;
  while (!payload.readableEnded && blanks <= LARGEST_OBJECT_BYTES) {
    const chunk = payload.read() as Buffer | null;
    const start = chunk?.findIndex((byte) => !WHITE_SPACE.has(byte)) ?? -1;
    if (chunk && start >= 0) return chunk.subarray(start);
    if (chunk) blanks += chunk.length;
    else await untilReadable(payload);
  }
  return Buffer.alloc(0);
}

async function untilReadable(payload: Readable): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(payload, 'readable', { signal }), once(payload, 'end', { signal })]);
  } finally {
    settled.abort();
  }
}

/** Only a POST creates many. */
function takesRows({ method }: FastifyRequest): boolean {
  return method === 'POST';
}

async function readObject(payload: Readable, start: Buffer): Promise<string> {
  const chunks = [start];
  let size = start.length;
  for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > LARGEST_OBJECT_BYTES) break;
  }
  // the rest is let go by, so that the client hears the answer
  payload.resume();
  if (size > LARGEST_OBJECT_BYTES) {
    throw new PayloadTooLargeException('The body is larger than 1 MiB.');
  }
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw new BadRequestException('The body is not UTF-8.');
  return body.toString();
}

function mediaTypeOf({ headers }: FastifyRequest): string {
  return headers['content-type']!.split(';')[0]!.trim().toLowerCase();
}
