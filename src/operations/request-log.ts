import { pino, type Logger } from 'pino';
import { logIdOf } from '../http/request-id.js';
import { isoTime } from './logger.js';
import type { Answered } from './request-observer.js';

interface LineStream {
  write: (line: string) => void;
}

/**
 * Logs one line a request. It has no value that a client chose, besides an id and the name of its key: a
 * filter, a body or an unknown address may be a secret.
 *
 * The line is written to the stream of pino as pino would write it. Most of it is the same for all requests of
 * a route, and pino would serialize it each time: `docs/performance.md` has the figures.
 */
export function requestLog(log: Logger): (answered: Answered) => void {
  const stream = (log as unknown as Record<symbol, LineStream>)[pino.symbols.streamSym]!;
  const fieldsByRoute = new Map<string, Map<string, string>>();
  return ({ request, reply, route, address, isAborted }) => {
    const { method, principal } = request;
    const { statusCode } = reply.raw;
    const fieldsByStatus = fieldsByRoute.get(route) ?? new Map<string, string>();
    const status = `${statusCode}${method}`;
    const fields = fieldsByStatus.get(status) ?? fieldsOf(method, route, statusCode);
    fieldsByRoute.set(route, fieldsByStatus.set(status, fields));
    const durationMs = Math.round(reply.elapsedTime * 10) / 10;
    const key = principal ? `,"key":${JSON.stringify(principal.name)}` : '';
    const aborted = isAborted ? ',"aborted":true' : '';
    stream.write(
      `{"level":"info"${isoTime()},"pid":${process.pid},"requestId":"${logIdOf(request)}"${fields}` +
        `,"durationMs":${durationMs},"address":${JSON.stringify(address)}${key}${aborted}}\n`,
    );
  };
}

/** What all requests of a route with the same status have in common. */
function fieldsOf(method: string, route: string, status: number): string {
  const message = `${method} ${route || '(unknown address)'} ${status}`;
  return `,${JSON.stringify({ method, route, status, message }).slice(1, -1)}`;
}
