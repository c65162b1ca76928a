import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { writeSlowly } from './slow-writes.js';

const RECONNECT_MS = 1000;

/** What happened, by number: what a client says in `Last-Event-ID` to go on after it. */
export interface NumberedEvent {
  seq: number;
}

/**
 * Answers with server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)
 * until the client goes or the service ends. Nothing is read that the client has no room for, and one
 * that takes nothing for 30 seconds is dropped: it can go on from its last event.
 */
@Injectable()
export class EventStreams implements OnModuleDestroy {
  private readonly log = new Logger(EventStreams.name);
  private readonly listeners = new Set<AbortController>();
  private readonly serialized = new WeakMap<NumberedEvent[], Buffer>();
  private isEnding = false;

  /** An empty page keeps the connection from looking dead. */
  async send(
    reply: FastifyReply,
    follow: (signal: AbortSignal) => AsyncIterable<NumberedEvent[]>,
  ): Promise<void> {
    const response = reply.hijack().raw;
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    response.once('close', leave);
    this.listeners.add(leaving);
    if (response.destroyed || this.isEnding) leave();
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    try {
      for await (const page of follow(leaving.signal)) {
        await writeSlowly(response, this.serialize(page), leaving.signal);
      }
      response.end();
    } catch (error) {
      if (!leaving.signal.aborted) this.log.warn(`A listener was dropped: ${String(error)}`);
      response.destroy();
    } finally {
      this.listeners.delete(leaving);
    }
  }

  /** Once for all listeners that get the same page. */
  private serialize(page: NumberedEvent[]): Buffer {
    const bytes = this.serialized.get(page) ?? serialize(page);
    this.serialized.set(page, bytes);
    return bytes;
  }

  onModuleDestroy(): void {
    this.isEnding = true;
    for (const leaving of this.listeners) leaving.abort();
  }
}

function serialize(page: NumberedEvent[]): Buffer {
  const events = page.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
  return Buffer.from(events.join('') || ': nothing new\n\n');
}
