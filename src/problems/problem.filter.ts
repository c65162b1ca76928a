import {
  Catch,
  HttpException,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { expectsPostgrest } from '../postgrest/postgrest-clients.js';
import { toProblem } from './failures.js';
import { serializeProblem, statusOf, type Problem, type ProblemCode } from './problems.js';

const RETRY_AFTER_SECONDS = 2;

/** RFC 6750, section 3 */
const CHALLENGES: Partial<Record<ProblemCode, string>> = {
  key_required: 'Bearer realm="marathon registry"',
  invalid_key: 'Bearer realm="marathon registry", error="invalid_token"',
  insufficient_role: 'Bearer realm="marathon registry", error="insufficient_scope"',
};

/** Turns every failure of a request into a problem document. Unexpected failures are logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger(ProblemFilter.name);

  catch(failure: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const problem = toProblem(failure);
    const status = statusOf(problem.code);
    if (problem.code === 'internal_error') this.report(failure, http.getRequest<FastifyRequest>());
    else if (status > 500) this.log.warn(`${status}: ${String(failure)}`);
    sendProblem(http.getResponse<FastifyReply>(), problem);
  }

  /** Not the address: the values in it may be secret. */
  private report(failure: unknown, { id, method, routeOptions }: FastifyRequest): void {
    const text = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
    this.log.error(`${method} ${routeOptions.url} (${id}): ${text}`);
  }
}

/** Answers requests that Fastify rejects before it has found a route. */
export function rejectRequest(failure: unknown, _: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, toProblem(failure instanceof HttpException ? failure.cause : failure));
}

function sendProblem(reply: FastifyReply, problem: Problem): void {
  const status = statusOf(problem.code);
  // Fastify would close the connection while the body is sent, and the client would lose the response
  if (problem.code === 'request_timeout') reply.header('Connection', 'close');
  else reply.removeHeader('connection');
  if (status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
  // as an answer with the record would have it: the next request can require this version
  if (problem.current) reply.header('ETag', `"${problem.current.version}"`);
  const challenge = CHALLENGES[problem.code];
  if (challenge) reply.header('WWW-Authenticate', challenge);
  const body = serializeProblem(problem, expectsPostgrest(reply.request));
  reply.code(status).type('application/problem+json').send(body);
}
