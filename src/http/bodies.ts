import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
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
    if (opensArray(start.bytes) && takesRows(request)) {
      const bytes = start.isWhole ? Readable.from([start.bytes]) : payload;
      if (!start.isWhole) payload.unshift(start.bytes);
      return RowsFile.receive(mediaTypeOf(request), bytes);
    }
    const text = readObject(start, payload);
    return text.trim() ? parseJson(request, text) : undefined;
  });
  fastify.addHook('onResponse', async ({ body }) => {
    if (body instanceof RowsFile) await body.discard();
  });
}

interface Start {
  bytes: Buffer;
  isWhole: boolean;
}

/** All of a body, or as much of it as an object may have and a little more. */
async function readStart(payload: Readable): Promise<Start> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const settle = (isWhole: boolean) => {
      payload.off('data', keep).pause();
      resolve({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), isWhole });
    };
    const keep = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LARGEST_OBJECT_BYTES) settle(false);
    };
    payload.on('data', keep);
    payload.once('end', () => settle(true));
    payload.once('error', reject);
  });
}

function opensArray(bytes: Buffer): boolean {
  return bytes[bytes.findIndex((byte) => !WHITE_SPACE.has(byte))] === OPENS_ARRAY;
}

/** Only a POST creates many. */
function takesRows({ method }: FastifyRequest): boolean {
  return method === 'POST';
}

function readObject({ bytes, isWhole }: Start, payload: Readable): string {
  if (!isWhole) {
    // the rest is let go by, so that the client hears the answer
    payload.resume();
    throw new PayloadTooLargeException('The body is larger than 1 MiB.');
  }
  if (!isUtf8(bytes)) throw new BadRequestException('The body is not UTF-8.');
  return bytes.toString();
}

function mediaTypeOf({ headers }: FastifyRequest): string {
  return headers['content-type']!.split(';')[0]!.trim().toLowerCase();
}
