import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { serializeProblem, statusOf, type Problem } from '../problems/problems.js';

const MALFORMED: Problem = {
  code: 'malformed_request',
  detail:
    'The request is not well-formed HTTP/1.1 and was not read. Check its first line, its headers and their lengths.',
};

/**
 * The problems that Node's parser finds before there is a request, by error code:
 * https://nodejs.org/api/http.html#event-clienterror
 */
const PARSER_PROBLEMS: Record<string, Problem> = {
  HPE_HEADER_OVERFLOW: {
    code: 'headers_too_large',
    detail: 'The headers are too large. Send fewer or shorter headers.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    code: 'body_too_large',
    detail: 'The chunk extensions are too large. Send none.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 'request_timeout',
    detail: 'The request took too long to arrive. Send it again.',
  },
  HPE_INVALID_URL: {
    code: 'malformed_address',
    detail:
      'The address has characters that must be percent-encoded, such as %C3%BC for ü and %20 for a space. ' +
      'With curl: -G --data-urlencode "name=value".',
  },
};

/** Answers a request that Node could not parse, and closes its connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  endWithProblem(socket, PARSER_PROBLEMS[error.code ?? ''] ?? MALFORMED);
}

/** Answers the requests that Node rejects by default with an empty body. */
export function answerUnusualRequests(server: Server): void {
  server.on('checkExpectation', (_: IncomingMessage, response: ServerResponse) => {
    const detail = 'The only supported expectation is 100-continue.';
    const body = serializeProblem({ code: 'expectation_failed', detail });
    response.writeHead(417, {
      'Content-Type': 'application/problem+json',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    });
    response.end(body);
  });
  server.on('connect', (_: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const detail = 'CONNECT is not supported: this service is no proxy.';
    endWithProblem(socket, { code: 'method_not_allowed', detail });
  });
}

/** Sends a problem on a connection that has no request, and closes it. */
export function endWithProblem(socket: Socket, problem: Problem): void {
  const body = serializeProblem(problem);
  const status = statusOf(problem.code);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
