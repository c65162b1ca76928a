import { Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { writeSlowly } from './slow-writes.js';

/** What has come so far is kept so long, so that a list whose connection dies can be read again. */
const KEPT_BYTES = 1_048_576;

const log = new Logger('Lists');

/** Nobody is there any more to be answered. */
export class ClientLeft extends Error {
  constructor() {
    super('The client left before its answer ended.');
  }
}

/**
 * Answers with bytes as they come. One that breaks off in its middle breaks the client's connection
 * too: half an answer must never look like a whole one.
 */
export async function sendBytes(
  reply: FastifyReply,
  bytes: AsyncIterable<Buffer>,
  onStreaming: () => void = () => undefined,
): Promise<void> {
  const leaving = new AbortController();
  onClientLeaving(reply, (reason) => leaving.abort(reason));
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    const { start, isWhole } = await readStart(chunks);
    if (isWhole) return void reply.send(start);
    onStreaming();
    const { raw } = reply.hijack();
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    await writeAll(raw, start, chunks, leaving.signal);
  } finally {
    await chunks.return?.();
  }
}

/** All of what is short, or as much as is kept. */
async function readStart(chunks: AsyncIterator<Buffer>) {
  const kept: Buffer[] = [];
  for (let length = 0; length < KEPT_BYTES; length += kept.at(-1)!.length) {
    const next = await chunks.next();
    if (next.done) return { start: join(kept), isWhole: true };
    kept.push(next.value);
  }
  return { start: join(kept), isWhole: false };
}

function join(chunks: Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** The bytes where they are few enough to be kept; undefined where there are more. */
export async function readWhole(bytes: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    const { start, isWhole } = await readStart(chunks);
    return isWhole ? start : undefined;
  } finally {
    await chunks.return?.();
  }
}

async function writeAll(
  response: FastifyReply['raw'],
  start: Buffer,
  chunks: AsyncIterator<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await writeSlowly(response, start, signal);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      await writeSlowly(response, next.value, signal);
    }
    response.end();
  } catch (error) {
    if (!signal.aborted) log.warn(`A list was broken off: ${String(error)}`);
    response.socket?.resetAndDestroy();
    response.destroy();
  }
}

/** Calls back where the client goes before its answer ends. */
export function onClientLeaving({ raw }: FastifyReply, leave: (reason: Error) => void): void {
  raw.once('close', () => {
    if (!raw.writableFinished) leave(new ClientLeft());
  });
}

/** The pages beside this one (RFC 8288), as addresses of the same question. */
export function linkPages(
  reply: FastifyReply,
  pages: Record<string, Record<string, string | number | undefined> | undefined>,
): void {
  const { url } = reply.request;
  const links = Object.entries(pages).flatMap(([relation, changes]) =>
    changes ? [`<${changeQuery(url, changes)}>; rel="${relation}"`] : [],
  );
  reply.header('Link', links.join(', '));
}

function changeQuery(url: string, changes: Record<string, string | number | undefined>): string {
  const { pathname, searchParams } = new URL(url, 'http://here');
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) searchParams.delete(name);
    else searchParams.set(name, String(value));
  }
  return `${pathname}?${searchParams.toString()}`;
}
