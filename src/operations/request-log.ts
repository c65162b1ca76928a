import { pino, type Logger } from 'pino';
import { logIdOf } from '../http/request-id.js';
import type { Principal } from '../http/principal.js';
import { isoTime } from './logger.js';
import type { Answered } from './answered.js';
import { ByRoute } from './by-route.js';

interface LineStream {
  write: (lines: string) => void;
}

const BUFFER_BYTES = 65_536;
/** The lines have ASCII characters only. Texts of one byte for each character are copied without a conversion. */
const ENCODING = 'latin1';
/** Short durations as texts: converting a fraction is a tenth of making a line. */
const TENTHS = Array.from({ length: 1000 }, (_, tenths) => String(tenths / 10));
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
  /** Texts that are kept and joined later would cost the garbage collector more than a copy costs. */
  private readonly buffer = Buffer.alloc(BUFFER_BYTES);
  private length = 0;
  private isClosed = false;
  private lastTime = '';
  private start = '';
  private lastAddress?: string;
  private lastPrincipal?: Principal;
  private end = '';
  private readonly timer: NodeJS.Timeout;

  constructor(log: Logger) {
    this.stream = (log as unknown as Record<symbol, LineStream>)[pino.symbols.streamSym]!;
    this.timer = setInterval(() => this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  add({ request, reply, route, durationMs, isAborted }: Answered): void {
    const fields = this.fields.get(request.method, route, reply.raw.statusCode);
    const aborted = isAborted ? ',"aborted":true' : '';
    // each part that is joined costs time: most of them are made once
    this.append(
      this.startOfLine() +
        logIdOf(request) +
        fields +
        tenthsOf(durationMs) +
        aborted +
        this.endOfLine(request),
    );
  }

  /** Requests may still end after this. Their lines are written at once. */
  close(): void {
    clearInterval(this.timer);
    this.isClosed = true;
    this.flush();
  }

  /** Many lines are of the same millisecond. */
  private startOfLine(): string {
    const time = isoTime();
    if (time !== this.lastTime) {
      this.lastTime = time;
      this.start = `{"level":"info"${time},"pid":${process.pid},"requestId":"`;
    }
    return this.start;
  }

  /** Many requests are of the same client as the one before. */
  private endOfLine({ ip, principal }: Answered['request']): string {
    if (ip !== this.lastAddress || principal !== this.lastPrincipal) {
      this.lastAddress = ip;
      this.lastPrincipal = principal;
      const key = principal && { key: principal.name };
      this.end = `,${toAsciiJson({ address: ip, ...key }).slice(1)}\n`;
    }
    return this.end;
  }

  private append(line: string): void {
    if (this.length + line.length > BUFFER_BYTES) this.flush();
    this.length += this.buffer.write(line, this.length, ENCODING);
    if (this.isClosed) this.flush();
  }

  private flush(): void {
    if (!this.length) return;
    this.stream.write(this.buffer.toString(ENCODING, 0, this.length));
    this.length = 0;
  }
}

function tenthsOf(durationMs: number): number | string {
  const tenths = Math.round(durationMs * 10);
  return TENTHS[tenths] ?? tenths / 10;
}

/** What all requests of a route with the same status have in common, between the id and the duration. */
function fieldsOf(method: string, route: string, status: number): string {
  const message = `${method} ${route || '(unknown address)'} ${status}`;
  return `",${toAsciiJson({ method, route, status, message }).slice(1, -1)},"durationMs":`;
}

function toAsciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\u0080-\uffff]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
