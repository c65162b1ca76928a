import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { BadRequestException, PayloadTooLargeException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { environment } from '../environment.js';
import { JSON_TYPES, ROW_TYPES } from './route-rules.js';
import { RowsFile, uploadTooLarge } from './rows-body.js';

const BYTES_PER_MB = 1_048_576;
const LARGEST_OBJECT_BYTES = BYTES_PER_MB;
const LET_GO_BY_MS = 1000;
const OPENS_ARRAY = 0x5b;
const WHITE_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Reads one JSON object into memory, as RFC 8259 has it: in UTF-8 and nothing else, so that no letter
 * is ever swapped. A JSON array, and every type made of rows, becomes a `RowsFile`.
 */
export function readBodies(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(ROW_TYPES, async (request: FastifyRequest, payload: Readable) => {
    if (takesRows(request)) return receiveRows(request, payload);
    letGoBy(payload);
    return undefined;
  });
  // by callbacks, because a promise more is felt on every write
  fastify.addContentTypeParser(JSON_TYPES, (request, payload: Readable, done: Done) => {
    readStart(payload, done, (start) => {
      if (opensArray(start.bytes) && takesRows(request)) {
        return callbackify(receiveStarted)(request, payload, start, done);
      }
      const text = readObject(start, payload);
      if (text.trim()) void parseJson(request, text, done);
      else done(null);
    });
  });
  fastify.addHook('onResponse', ({ body }, _, done) => {
    if (body instanceof RowsFile) callbackify(async () => body.discard())(done);
    else done();
  });
}

interface Start {
  bytes: Buffer;
  isWhole: boolean;
}

/** Uses all of a body, or as much of it as an object may have and a little more. */
function readStart(payload: Readable, fail: Done, use: (start: Start) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const settle = (isWhole: boolean) => {
    payload.off('data', keep).off('end', end).pause();
    try {
      use({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), isWhole });
    } catch (error) {
      fail(error as Error);
    }
  };
  const keep = (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_OBJECT_BYTES) settle(false);
  };
  const end = () => settle(true);
  payload.on('data', keep).on('end', end).once('error', fail);
}

async function receiveStarted(request: FastifyRequest, rest: Readable, { bytes, isWhole }: Start) {
  if (!isWhole) rest.unshift(bytes);
  return receiveRows(request, isWhole ? Readable.from([bytes]) : rest);
}

async function receiveRows(request: FastifyRequest, payload: Readable): Promise<RowsFile> {
  const { maxUploadMb } = environment;
  try {
    const declaredMb = Number(request.headers['content-length'] ?? 0) / BYTES_PER_MB;
    if (declaredMb > maxUploadMb) throw uploadTooLarge(maxUploadMb);
    return await RowsFile.receive(mediaTypeOf(request), payload);
  } catch (error) {
    letGoBy(payload);
    throw error;
  }
}

/** A client hears no answer while it sends: what is left is read, for a while, and thrown away. */
function letGoBy(payload: Readable): void {
  const timer = setTimeout(() => payload.destroy(), LET_GO_BY_MS).unref();
  payload.once('close', () => clearTimeout(timer)).resume();
}

function opensArray(bytes: Buffer): boolean {
  let place = 0;
  while (WHITE_SPACE.has(bytes[place]!)) place += 1;
  return bytes[place] === OPENS_ARRAY;
}

/** Only a POST creates many. */
function takesRows({ method }: FastifyRequest): boolean {
  return method === 'POST';
}

function readObject({ bytes, isWhole }: Start, payload: Readable): string {
  if (!isWhole) {
    letGoBy(payload);
    throw new PayloadTooLargeException('The body is larger than 1 MiB.');
  }
  if (!isUtf8(bytes)) throw new BadRequestException('The body is not UTF-8.');
  return bytes.toString();
}

function mediaTypeOf({ headers }: FastifyRequest): string {
  return headers['content-type']!.split(';')[0]!.trim().toLowerCase();
}
