import { pipeline, Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { matchesTag } from './entity-tags.js';

/** Shorter bodies are not compressed: they fit into one packet. */
const MIN_BYTES = 1024;

/** The default quality of Brotli, 11, takes a hundred times as long. */
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

/** How a content coding is applied, to a buffer and to a stream. */
interface Codec {
  compress: (bytes: Buffer) => Promise<Buffer>;
  makeStream: () => Transform;
}

/** Node 22.15 and later: https://nodejs.org/api/zlib.html#zlibcreatezstdcompressoptions */
interface ZstdOfNode {
  zstdCompress?: (bytes: Buffer, done: (error: Error | null, result: Buffer) => void) => void;
  createZstdCompress?: () => Transform;
}

/** The types of the library lack the preference of the server. */
interface EncodingNegotiator {
  encoding: (available: string[], options: { preferred: string[] }) => string | undefined;
}

const { zstdCompress, createZstdCompress } = zlib as unknown as ZstdOfNode;

/** In the order of preference if the client has none. */
const CODECS = new Map<string, Codec>([
  [
    'br',
    {
      compress: async (bytes) => promisify(zlib.brotliCompress)(bytes, BROTLI),
      makeStream: () => zlib.createBrotliCompress(BROTLI),
    },
  ],
  ['gzip', { compress: promisify<Buffer, Buffer>(zlib.gzip), makeStream: () => zlib.createGzip() }],
]);
if (zstdCompress && createZstdCompress) {
  CODECS.set('zstd', { compress: promisify(zstdCompress), makeStream: createZstdCompress });
}
const CODINGS = [...CODECS.keys()];

/** The same body is compressed once for all clients, as long as it is cached. */
const compressed = new WeakMap<Buffer, Map<string, Promise<Buffer>>>();

/**
 * The content coding that a client prefers (RFC 9110, section 12.5.3); undefined for none. A body of
 * unknown size is compressed.
 */
function codingOf({ raw }: FastifyRequest, size = MIN_BYTES): string | undefined {
  if (size < MIN_BYTES || raw.headers['accept-encoding'] === undefined) return undefined;
  const negotiator = new Negotiator(raw) as unknown as EncodingNegotiator;
  const coding = negotiator.encoding([...CODINGS, 'identity'], { preferred: CODINGS });
  return coding === 'identity' ? undefined : coding;
}

/**
 * Sets the headers of a body in the content coding that the client prefers, and returns the coding. The entity
 * tag names it: a strong one identifies the bytes (RFC 9110, section 8.8.3.3).
 */
export function sendCoding(reply: FastifyReply, tag?: string, size?: number): string | undefined {
  const coding = codingOf(reply.request, size);
  if (tag !== undefined) reply.header('ETag', `"${codedTag(tag, coding)}"`);
  if (coding) reply.header('Content-Encoding', coding);
  return coding;
}

/** The tag of a representation, compressed or not, that `If-None-Match` names; undefined for none. */
export function knownTag(ifNoneMatch: string | undefined, tag: string): string | undefined {
  const tags = [tag, ...CODINGS.map((coding) => codedTag(tag, coding))];
  return tags.find((each) => matchesTag(ifNoneMatch, each));
}

function codedTag(tag: string, coding: string | undefined): string {
  return coding === undefined ? tag : `${tag}-${coding}`;
}

/** Adds what was compressed before. Use it where a better quality took its time. */
export function addCompressed(bytes: Buffer, coding: string, result: Buffer): void {
  resultsOf(bytes).set(coding, Promise.resolve(result));
}

export async function compress(bytes: Buffer, coding: string): Promise<Buffer> {
  const results = resultsOf(bytes);
  const result = results.get(coding) ?? CODECS.get(coding)!.compress(bytes);
  results.set(coding, result);
  return result;
}

function resultsOf(bytes: Buffer): Map<string, Promise<Buffer>> {
  const results = compressed.get(bytes) ?? new Map<string, Promise<Buffer>>();
  compressed.set(bytes, results);
  return results;
}

/** Compresses chunks as they arrive. A failure of the source ends the result with that failure. */
export function compressStream(
  chunks: AsyncIterable<Buffer>,
  coding: string,
): AsyncIterable<Buffer> {
  // the reader of the result gets the error
  return pipeline(Readable.from(chunks), CODECS.get(coding)!.makeStream(), () => undefined);
}
