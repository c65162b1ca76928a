import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ProblemError, serializeProblem } from '../problems/problems.js';
import { writeWithBackpressure } from './backpressure.js';

const RECONNECT_MS = 1000;

/** An event; a client sends its number in `Last-Event-ID` to continue after it. */
export interface NumberedEvent {
  seq: number;
}

/**
 * Sends server-sent events until the client disconnects or the service shuts down
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Events are read no faster than the
 * client takes them. A client that reads nothing for 30 seconds is disconnected; it can continue after
 * its last event. A client whose API key is revoked gets no further event. If it cannot go on, an event `problem`
 * says why.
 */
@Injectable()
export class EventStreams implements OnModuleDestroy {
  private readonly log = new Logger(EventStreams.name);
  private readonly listeners = new Set<AbortController>();
  private readonly serializedPages = new WeakMap<NumberedEvent[], Buffer>();
  private isShuttingDown = false;

  /** The number of listeners. */
  get count(): number {
    return this.listeners.size;
  }

  /**
   * Sends the pages that `follow` yields. An empty page is sent as a comment, so that proxies keep the
   * connection open.
   */
  async send(
    reply: FastifyReply,
    follow: (signal: AbortSignal) => AsyncIterable<NumberedEvent[]>,
  ): Promise<void> {
    const response = reply.hijack().raw;
    const listener = new AbortController();
    const { signal } = listener;
    response.once('close', () => listener.abort());
    this.listeners.add(listener);
    if (response.destroyed || this.isShuttingDown) listener.abort();
    reply.header('Content-Type', 'text/event-stream').header('Cache-Control', 'no-store');
    response.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    try {
      for await (const page of follow(signal)) {
        if (!(await reply.request.isStillAllowed())) break;
        await writeWithBackpressure(response, this.serialize(page), signal);
      }
      response.end();
    } catch (error) {
      if (error instanceof ProblemError) {
        response.end(`event: problem\ndata: ${serializeProblem(error)}\n\n`);
        return;
      }
      if (!signal.aborted) this.log.warn(`A listener was disconnected: ${String(error)}`);
      response.destroy();
    } finally {
      this.listeners.delete(listener);
    }
  }

  /** Serializes each page once for all listeners. */
  private serialize(page: NumberedEvent[]): Buffer {
    const bytes = this.serializedPages.get(page) ?? serializePage(page);
    this.serializedPages.set(page, bytes);
    return bytes;
  }

  onModuleDestroy(): void {
    this.isShuttingDown = true;
    for (const listener of this.listeners) listener.abort();
  }
}

function serializePage(page: NumberedEvent[]): Buffer {
  const events = page.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
  return Buffer.from(events.join('') || ': nothing new\n\n');
}
