import { pino, type Logger } from 'pino';
import type { Principal } from '../http/principal.js';
import { REQUEST_ID_PREFIX } from '../http/request-id.js';
import type { Answered } from './answered.js';
import { ByRoute } from './by-route.js';
import { LineBuffer, toBytes } from './line-buffer.js';
import { LogOutput } from './log-output.js';
import { isoTime } from './logger.js';

const BUFFER_BYTES = 262_144;
/** The most that an id, a duration and the punctuation of a line need. */
const MAX_OWN_BYTES = 256;
/** More of them would be alive at each garbage collection. */
const MAX_WAITING = 256;
const FLUSH_AFTER_MS = 100;

const POINT = 46;
const ABORTED = toBytes(',"aborted":true');

/**
 * Logs one line a request. It has no value that a client chose, besides an id and the name of its key: a
 * filter, a body or an unknown address may be a secret.
 *
 * The lines are written to the output of pino as pino would write them. Most of a line is the same for all
 * requests of a route, and pino would serialize it each time. Many lines are put together at once, because code
 * that just ran is faster: `docs/performance.md` has the figures.
 */
export class RequestLog {
  private readonly write: (lines: Buffer) => void;
  private readonly fields = new ByRoute((...names) => toBytes(fieldsOf(...names)));
  private readonly lines = new LineBuffer(BUFFER_BYTES);
  private waiting: Answered[] = [];
  private isClosed = false;
  private lastTime = 0;
  private start = toBytes('');
  private lastAddress?: string;
  private lastPrincipal?: Principal;
  private end = toBytes('');
  /** None while nothing waits: an idle service does not wake the processor. */
  private timer?: NodeJS.Timeout;

  constructor(log: Logger) {
    this.write = writerOf(log);
  }

  add(answered: Answered): void {
    const count = this.waiting.push(answered);
    if (this.isClosed) this.flush();
    else if (count === MAX_WAITING) this.addLines();
    else this.timer ??= setTimeout(() => this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** Requests may still end after this. Their lines are written at once. */
  close(): void {
    this.isClosed = true;
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.addLines();
    this.writeLines();
  }

  private addLines(): void {
    const { waiting } = this;
    this.waiting = [];
    const startOfClock = Date.now() - performance.now();
    for (const answered of waiting) this.addLine(answered, startOfClock);
  }

  private addLine(answered: Answered, startOfClock: number): void {
    const { lines } = this;
    const start = this.startOfLine(Math.floor(startOfClock + answered.endedAt));
    const fields = this.fields.get(answered.method, answered.route, answered.status);
    const end = this.endOfLine(answered);
    if (!lines.hasRoom(start.length + fields.length + end.length + MAX_OWN_BYTES))
      this.writeLines();
    this.addStart(start, answered);
    lines.add(fields);
    this.addTenths(Math.round(answered.durationMs * 10));
    if (answered.isAborted) lines.add(ABORTED);
    lines.add(end);
  }

  /** Up to the number of the request. Many lines are of the same millisecond. */
  private startOfLine(time: number): Buffer {
    if (time !== this.lastTime) {
      this.lastTime = time;
      const id = `,"requestId":"${REQUEST_ID_PREFIX}`;
      this.start = toBytes(`{"level":"info"${isoTime(time)},"pid":${process.pid}${id}`);
    }
    return this.start;
  }

  /** With the id by which a request is found in logs: that of a trusted proxy, or one of this service. */
  private addStart(start: Buffer, { id, traceId }: Answered): void {
    if (traceId === undefined) {
      this.lines.add(start);
      this.lines.addInteger(id);
    } else {
      this.lines.add(start.subarray(0, -REQUEST_ID_PREFIX.length));
      this.lines.addText(traceId);
    }
  }

  private addTenths(tenths: number): void {
    this.lines.addInteger(Math.floor(tenths / 10));
    this.lines.addByte(POINT);
    this.lines.addInteger(tenths % 10);
  }

  /** Many requests are of the same client as the one before. */
  private endOfLine({ address, principal }: Answered): Buffer {
    if (address !== this.lastAddress || principal !== this.lastPrincipal) {
      this.lastAddress = address;
      this.lastPrincipal = principal;
      const key = principal && { key: principal.name };
      this.end = toBytes(`,${toAsciiJson({ address, ...key }).slice(1)}\n`);
    }
    return this.end;
  }

  private writeLines(): void {
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
