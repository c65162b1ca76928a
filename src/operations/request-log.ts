import { pino, type Logger } from 'pino';
import { logIdOf } from '../http/request-id.js';
import { isoTime } from './logger.js';
import type { Answered } from './answered.js';
import { ByRoute } from './by-route.js';

interface LineStream {
  write: (lines: string) => void;
}

/** The stream measures each text that it gets, which takes longer than making a line. */
const LINES_PER_WRITE = 64;
const FLUSH_INTERVAL_MS = 100;

/**
 * Logs one line a request. It has no value that a client chose, besides an id and the name of its key: a
 * filter, a body or an unknown address may be a secret.
 *
 * The lines are written to the stream of pino as pino would write them. Most of a line is the same for all
 * requests of a route, and pino would serialize it each time: `docs/performance.md` has the figures.
 */
export class RequestLog {
  private readonly stream: LineStream;
  private readonly fields = new ByRoute(fieldsOf);
  private lines: string[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(log: Logger) {
    this.stream = (log as unknown as Record<symbol, LineStream>)[pino.symbols.streamSym]!;
    this.timer = setInterval(() => this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  add({ request, reply, route, address, isAborted }: Answered): void {
    const { principal } = request;
    const durationMs = Math.round(reply.elapsedTime * 10) / 10;
    const key = principal ? `,"key":${JSON.stringify(principal.name)}` : '';
    const aborted = isAborted ? ',"aborted":true' : '';
    const fields = this.fields.get(request.method, route, reply.raw.statusCode);
    this.lines.push(
      `{"level":"info"${isoTime()},"pid":${process.pid},"requestId":"${logIdOf(request)}"${fields}` +
        `,"durationMs":${durationMs},"address":${JSON.stringify(address)}${key}${aborted}}\n`,
    );
    if (this.lines.length >= LINES_PER_WRITE) this.flush();
  }

  close(): void {
    clearInterval(this.timer);
    this.flush();
  }

  private flush(): void {
    if (!this.lines.length) return;
    this.stream.write(this.lines.join(''));
    this.lines = [];
  }
}

/** What all requests of a route with the same status have in common. */
function fieldsOf(method: string, route: string, status: number): string {
  const message = `${method} ${route || '(unknown address)'} ${status}`;
  return `,${JSON.stringify({ method, route, status, message }).slice(1, -1)}`;
}
