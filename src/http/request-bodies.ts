import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import type { FastifyInstance, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify';
import type { Limits } from '../config/settings.js';
import { ClientDisconnectedError } from '../problems/client-disconnected-error.js';
import { ProblemError } from '../problems/problems.js';
import { receiveForm } from './form-upload.js';
import { parseContentType } from './media-types.js';
import { FORM_TYPE, JSON_TYPES, ROW_TYPES } from './route-rules.js';
import { SlowBodies } from './slow-bodies.js';
import { assertUploadSize, UploadedRows } from './upload.js';

const BYTES_PER_KB = 1024;
/** As nginx's `lingering_timeout`: on a slow network a client needs seconds to read its response. */
const DISCARD_TIMEOUT_MS = 5000;
/** An array, or an object that begins with a list of objects, as the service sends lists. */
const ROWS = /^(?:\u{ef}\u{bb}\u{bf})?\s*(?:\[|\{\s*"[^"\\]*"\s*:\s*\[\s*[{\]])/u;
const MAX_ROWS_PREFIX = 1024;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Parses bodies. A JSON object is read into memory; it must be UTF-8 (RFC 8259, section 8.1). A JSON
 * array, a list as the service sends it, every media type for rows, and a form with a file become
 * `UploadedRows` if the route consumes rows. A body that is too large or arrives too slowly is rejected. A body
 * that nobody reads is discarded.
 */
export function addBodyParsers(fastify: FastifyInstance, limits: Limits): void {
  const slowBodies = new SlowBodies(fastify, limits);
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  const receive = async (request: FastifyRequest, payload: Readable) =>
    receiveRows(request, payload, limits.uploadMb);
  const watch = ({ raw }: FastifyRequest) => slowBodies.watch(raw);
  fastify.removeAllContentTypeParsers();
  const parseRows = async (request: FastifyRequest, payload: Readable) => {
    watch(request);
    if (consumesRows(request.routeOptions)) return receive(request, payload);
    discard(payload);
    return undefined;
  };
  fastify.addContentTypeParser([...ROW_TYPES, FORM_TYPE], parseRows);
  // with callbacks: one more promise costs every write measurably
  fastify.addContentTypeParser(JSON_TYPES, (request, payload: Readable, done: Done) => {
    watch(request);
    if (isUnknown(request)) {
      discard(payload);
      done(null);
      return;
    }
    bufferStart(payload, limits.bodyKb, done, (start) => {
      if (consumesRows(request.routeOptions) && holdsRows(start.bytes)) {
        return callbackify(receive)(request, rejoin(start, payload), done);
      }
      const text = decodeObject(start, payload, limits.bodyKb);
      if (text.trim()) void parseJson(request, text, done);
      else done(null);
    });
  });
  fastify.addHook('onRoute', (route) => {
    if (consumesRows(route)) route.handler = discardUploadAfter(route.handler);
  });
}

/** Not a hook: Fastify calls none if the client has left meanwhile. */
function discardUploadAfter(handle: RouteHandlerMethod): RouteHandlerMethod {
  return function handleUpload(request, reply): unknown {
    const handled: unknown = handle.call(this, request, reply);
    const { body } = request;
    if (!(body instanceof UploadedRows)) return handled;
    return Promise.resolve(handled).finally(async () => body.discard());
  };
}

interface BodyStart {
  bytes: Buffer;
  isComplete: boolean;
}

/** Buffers a body up to the largest size of an object, and passes it to `use`. */
function bufferStart(
  payload: Readable,
  maxKb: number,
  fail: Done,
  use: (start: BodyStart) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (isComplete: boolean) => {
    payload.off('data', addChunk).off('end', end).pause();
    try {
      use({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), isComplete });
    } catch (error) {
      fail(error as Error);
    }
  };
  const addChunk = (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxKb * BYTES_PER_KB) finish(false);
  };
  const end = () => finish(true);
  payload
    .on('data', addChunk)
    .on('end', end)
    .once('error', (error) => {
      discard(payload);
      fail(error);
    });
}

function rejoin({ bytes, isComplete }: BodyStart, rest: Readable): Readable {
  if (isComplete) return Readable.from([bytes]);
  rest.unshift(bytes);
  return rest;
}

async function receiveRows(
  { headers, raw }: FastifyRequest,
  payload: Readable,
  maxUploadMb: number,
): Promise<UploadedRows> {
  try {
    assertUploadSize(Number(headers['content-length'] ?? 0), maxUploadMb);
    const type = parseContentType(headers['content-type']!);
    const rows =
      type.mediaType === FORM_TYPE
        ? await receiveForm(headers, payload, maxUploadMb)
        : await UploadedRows.receive(type, payload, maxUploadMb);
    if (!raw.socket.destroyed) return rows;
    // Fastify does not call the handler
    await rows.discard();
  } catch (error) {
    discard(payload);
    throw error;
  }
  throw new ClientDisconnectedError();
}

/** Most clients read no response while they send, so the rest of a rejected body is read for a while. */
function discard(payload: Readable): void {
  const timer = setTimeout(() => payload.destroy(), DISCARD_TIMEOUT_MS).unref();
  payload.once('close', () => clearTimeout(timer)).resume();
}

function holdsRows(bytes: Buffer): boolean {
  return ROWS.test(bytes.toString('latin1', 0, MAX_ROWS_PREFIX));
}

/** Whether a route stores rows. */
function consumesRows({ config }: Pick<RouteOptions, 'config'>): boolean {
  return config?.consumes?.some((type) => ROW_TYPES.includes(type)) ?? false;
}

/** Whether there is no such address, or no such method of it. */
function isUnknown({ is404, routeOptions }: FastifyRequest): boolean {
  return is404 || routeOptions.config.isCatchAll === true;
}

function decodeObject({ bytes, isComplete }: BodyStart, payload: Readable, maxKb: number): string {
  if (!isComplete) {
    discard(payload);
    throw new ProblemError(
      'body_too_large',
      `The body is an object of more than ${maxKb} KiB (MAX_BODY_KB). Send many rows as an array of objects, as CSV or as NDJSON.`,
    );
  }
  if (!isUtf8(bytes)) throw new ProblemError('invalid_body', 'The body is not UTF-8.');
  return bytes.toString();
}
