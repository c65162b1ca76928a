import { Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { writeWithBackpressure } from '../http/backpressure.js';

/** A list is sent as a whole up to this size, and streamed beyond it. */
const BUFFERED_BYTES = 1_048_576;

const log = new Logger('Lists');

/** The first chunks of a stream. */
export interface BufferedStart {
  start: Buffer;
  /** Whether nothing follows. */
  isComplete: boolean;
}

/**
 * Reads a stream up to its first megabyte. As long as nothing was sent, a list whose connection fails can
 * be read again.
 */
export async function bufferStart(chunks: AsyncIterator<Buffer>): Promise<BufferedStart> {
  const buffered: Buffer[] = [];
  for (let length = 0; length < BUFFERED_BYTES; length += buffered.at(-1)!.length) {
    const next = await chunks.next();
    if (next.done) return { start: concat(buffered), isComplete: true };
    buffered.push(next.value);
  }
  return { start: concat(buffered), isComplete: false };
}

/**
 * Streams chunks to a client. If the stream fails, the client's connection is reset, because half a list
 * must not look like a complete one.
 */
export async function streamTo(
  reply: FastifyReply,
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const { raw } = reply.hijack();
  raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
  try {
    for await (const chunk of chunks) await writeWithBackpressure(raw, chunk, signal);
    raw.end();
  } catch (error) {
    if (!signal.aborted) log.warn(`A list was aborted: ${String(error)}`);
    raw.socket?.resetAndDestroy();
    raw.destroy();
  }
}

function concat(chunks: Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
