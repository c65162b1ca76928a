import { pino, type Logger } from 'pino';
import type { Principal } from '../http/principal.js';
import { REQUEST_ID_PREFIX } from '../http/request-id.js';
import type { Answered } from './answered.js';
import { ByRoute } from './by-route.js';
import { LineBuffer, toBytes } from './line-buffer.js';
import { LogOutput } from './log-output.js';
import { isoTime } from './logger.js';

const BUFFER_BYTES = 65_536;
/** The most that an id, a duration and the punctuation of a line need. */
const MAX_OWN_BYTES = 256;
const FLUSH_INTERVAL_MS = 100;

const ID_PREFIX = toBytes(REQUEST_ID_PREFIX);
const [POINT, ABORTED] = ['.', ',"aborted":true'].map(toBytes) as [Buffer, Buffer];

/**
 * Logs one line a request. It has no value that a client chose, besides an id and the name of its key: a
 * filter, a body or an unknown address may be a secret.
 *
 * The lines are written to the output of pino as pino would write them. Most of a line is the same for all
 * requests of a route, and pino would serialize it each time: `docs/performance.md` has the figures.
 */
export class RequestLog {
  private readonly write: (lines: Buffer) => void;
  private readonly fields = new ByRoute((...names) => toBytes(fieldsOf(...names)));
  private readonly lines = new LineBuffer(BUFFER_BYTES);
  private isClosed = false;
  private lastTime = '';
  private start = toBytes('');
  private lastAddress?: string;
  private lastPrincipal?: Principal;
  private end = toBytes('');
  private readonly timer: NodeJS.Timeout;

  constructor(log: Logger) {
    this.write = writerOf(log);
    this.timer = setInterval(() => this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  add({ request, reply, route, durationMs, isAborted }: Answered): void {
    const fields = this.fields.get(request.method, route, reply.raw.statusCode);
    const start = this.startOfLine();
    const end = this.endOfLine(request);
    const { lines } = this;
    if (!lines.hasRoom(start.length + fields.length + end.length + MAX_OWN_BYTES)) this.flush();
    lines.add(start);
    this.addId(request);
    lines.add(fields);
    this.addTenths(Math.round(durationMs * 10));
    if (isAborted) lines.add(ABORTED);
    lines.add(end);
    if (this.isClosed) this.flush();
  }

  /** Requests may still end after this. Their lines are written at once. */
  close(): void {
    clearInterval(this.timer);
    this.isClosed = true;
    this.flush();
  }

  /** Many lines are of the same millisecond. */
  private startOfLine(): Buffer {
    const time = isoTime();
    if (time !== this.lastTime) {
      this.lastTime = time;
      this.start = toBytes(`{"level":"info"${time},"pid":${process.pid},"requestId":"`);
    }
    return this.start;
  }

  /** The id by which a request is found in logs: that of a trusted proxy, or one of this service. */
  private addId({ id, traceId }: Answered['request']): void {
    if (traceId !== undefined) {
      this.lines.addText(traceId);
      return;
    }
    this.lines.add(ID_PREFIX);
    this.lines.addInteger(Number(id));
  }

  private addTenths(tenths: number): void {
    this.lines.addInteger(Math.floor(tenths / 10));
    this.lines.add(POINT);
    this.lines.addInteger(tenths % 10);
  }

  /** Many requests are of the same client as the one before. */
  private endOfLine({ ip, principal }: Answered['request']): Buffer {
    if (ip !== this.lastAddress || principal !== this.lastPrincipal) {
      this.lastAddress = ip;
      this.lastPrincipal = principal;
      const key = principal && { key: principal.name };
      this.end = toBytes(`,${toAsciiJson({ address: ip, ...key }).slice(1)}\n`);
    }
    return this.end;
  }

  private flush(): void {
    const lines = this.lines.take();
    if (lines.length) this.write(lines);
  }
}

/** The stream of a terminal takes texts only. */
function writerOf(log: Logger): (lines: Buffer) => void {
  type Stream = { write: (lines: string) => void };
  const stream = (log as unknown as Record<symbol, Stream | LogOutput>)[pino.symbols.streamSym]!;
  if (stream instanceof LogOutput) return (lines) => stream.write(lines);
  return (lines) => stream.write(lines.toString('latin1'));
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
