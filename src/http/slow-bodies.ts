import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Limits } from '../config/settings.js';
import { ProblemError } from '../problems/problems.js';

const SWEEP_INTERVAL_MS = 1000;

interface Progress {
  startedAt: number;
  bytesReadBefore: number;
}

/**
 * Rejects bodies that arrive too slowly. A client that sends a byte a minute would otherwise keep its
 * connection for ever. One sweep checks all bodies, because a timer for each would cost every write.
 */
export class SlowBodies {
  private readonly bodies = new Map<IncomingMessage, Progress>();

  constructor(
    fastify: FastifyInstance,
    private readonly limits: Limits,
  ) {
    const sweep = setInterval(() => this.rejectSlow(), SWEEP_INTERVAL_MS).unref();
    fastify.addHook('onClose', async () => clearInterval(sweep));
  }

  /** Emits an error of the body if it is too slow: a `ProblemError` with the code `request_timeout`. */
  watch(body: IncomingMessage): void {
    this.bodies.set(body, { startedAt: Date.now(), bytesReadBefore: body.socket.bytesRead });
    // it follows the end of the body and every error
    body.once('close', () => this.bodies.delete(body));
  }

  private rejectSlow(): void {
    for (const [body, progress] of this.bodies) {
      if (!this.isSlow(body, progress)) continue;
      this.bodies.delete(body);
      body.emit('error', this.problem());
    }
  }

  private isSlow({ socket }: IncomingMessage, { startedAt, bytesReadBefore }: Progress): boolean {
    const { bodyTimeoutSeconds, minBodyBytesPerSecond } = this.limits;
    const seconds = (Date.now() - startedAt) / 1000;
    const bytes = socket.bytesRead - bytesReadBefore;
    return seconds > bodyTimeoutSeconds && bytes < seconds * minBodyBytesPerSecond;
  }

  private problem(): ProblemError {
    const { bodyTimeoutSeconds, minBodyBytesPerSecond } = this.limits;
    return new ProblemError(
      'request_timeout',
      `The body arrived too slowly: after ${bodyTimeoutSeconds} seconds at least ${minBodyBytesPerSecond} bytes ` +
        'per second are required. Nothing was stored. Send it again on a faster connection.',
    );
  }
}
