import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { problemOf, type Problem } from './problem.filter.js';

const MALFORMED =
  'The request is not well-formed HTTP/1.1, so it was not read: check its first line, its headers and their lengths.';

/**
 * What Node's parser refuses before there is a request, by its code:
 * https://nodejs.org/api/http.html#event-clienterror
 */
const PROBLEMS: Record<string, Problem> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers are larger than 16 KiB: send less.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, detail: 'The chunk extensions are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request took too long to arrive.' },
  HPE_INVALID_URL: {
    status: 400,
    detail:
      'The address has characters that must be percent-encoded, such as %C3%BC for ü and %20 for a space. ' +
      'With curl: -G --data-urlencode "city=Zürich".',
  },
};

/** Answers a request that could not be parsed, and closes its connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  endWith(socket, PROBLEMS[error.code ?? ''] ?? { status: 400, detail: MALFORMED });
}

/** Answers what Node would refuse by itself, with an empty body. */
export function answerUnusualRequests(server: Server): void {
  server.on('checkExpectation', (_: IncomingMessage, response: ServerResponse) => {
    const problem = { status: 417, detail: 'The only expectation that is met is 100-continue.' };
    const body = problemOf(problem);
    response.writeHead(417, {
      'Content-Type': 'application/problem+json',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    });
    response.end(body);
  });
  server.on('connect', (_: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    endWith(socket, { status: 405, detail: 'CONNECT is not possible here: this is no proxy.' });
  });
}

function endWith(socket: Socket, problem: Problem): void {
  const body = problemOf(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
