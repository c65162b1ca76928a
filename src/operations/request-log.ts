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
const PID = `,"pid":${process.pid},`;
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
  private readonly keyFields = new WeakMap<Principal, string>();
  private lastAddress?: string;
  private addressField = '';
  private readonly timer: NodeJS.Timeout;

  constructor(log: Logger) {
    this.stream = (log as unknown as Record<symbol, LineStream>)[pino.symbols.streamSym]!;
    this.timer = setInterval(() => this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  add({ request, reply, route, durationMs, isAborted }: Answered): void {
    const { principal } = request;
    const fields = this.fields.get(request.method, route, reply.raw.statusCode);
    const key = principal ? this.keyFieldOf(principal) : '';
    const aborted = isAborted ? ',"aborted":true' : '';
    this.append(
      `{"level":"info"${isoTime()}${PID}"requestId":"${logIdOf(request)}"${fields}` +
        `,"durationMs":${tenthsOf(durationMs)}${this.addressFieldOf(request.ip)}${key}${aborted}}\n`,
    );
  }

  /** Requests may still end after this. Their lines are written at once. */
  close(): void {
    clearInterval(this.timer);
    this.isClosed = true;
    this.flush();
  }

  /** Most requests come from the same few clients, and so does the one after another. */
  private addressFieldOf(address: string): string {
    if (address !== this.lastAddress) {
      this.lastAddress = address;
      this.addressField = `,"address":${toAsciiJson(address)}`;
    }
    return this.addressField;
  }

  private keyFieldOf(principal: Principal): string {
    const known = this.keyFields.get(principal);
    if (known !== undefined) return known;
    const field = `,"key":${toAsciiJson(principal.name)}`;
    this.keyFields.set(principal, field);
    return field;
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

/** What all requests of a route with the same status have in common. */
function fieldsOf(method: string, route: string, status: number): string {
  const message = `${method} ${route || '(unknown address)'} ${status}`;
  return `,${toAsciiJson({ method, route, status, message }).slice(1, -1)}`;
}

function toAsciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\u0080-\uffff]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
