import { STATUS_CODES } from 'node:http';
import {
  Catch,
  HttpException,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasErrorCode } from '../database/error-code.js';
import {
  ConnectionRejectedError,
  findViolation,
  isDatabaseAway,
  isDiskFull,
  ReadOnlyDatabaseError,
  type Violation,
} from '../database/failures.js';
import { ClientLeft } from './list-reply.js';

const RETRY_AFTER_SECONDS = 2;

/** What a client is told when something fails (RFC 9457). */
export interface Problem {
  status: number;
  detail: string;
  type?: string;
  errors?: object[];
  /** How many rows in all, where `errors` shows the first. */
  rejected?: number;
}

export const MALFORMED_ADDRESS =
  'The address is not well-formed: each % must begin the bytes of a character in UTF-8, as in %C3%BC for ü.';

const FASTIFY_DETAILS: Record<string, string> = {
  FST_ERR_BAD_URL: MALFORMED_ADDRESS,
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not well-formed JSON, or has a member __proto__.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'There is no body: send one JSON object.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is larger than 1 MiB.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Send JSON, with the header Content-Type: application/json.',
};

const READ_ONLY: Problem = {
  status: 503,
  type: '/problems/database-read-only',
  detail:
    'The database takes no writes at the moment: it is read-only, or a standby. Reading works; send the write again later.',
};

const DISK_FULL: Problem = {
  status: 507,
  type: '/problems/disk-full',
  detail:
    'There is no room left on the disk; nothing was stored. Send it again once whoever runs the service has made room.',
};

/** A client that went away half way; nobody hears the answer. */
const BROKEN_OFF = ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

/** The one place where a failure becomes an answer. What it cannot name is a bug: logged, and a 500. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger(ProblemFilter.name);

  catch(failure: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const problem = describeFailure(failure);
    if (problem.status === 500) this.report(failure, http.getRequest<FastifyRequest>());
    else if (problem.status > 500) this.log.warn(`${problem.status}: ${String(failure)}`);
    sendProblem(http.getResponse<FastifyReply>(), problem);
  }

  private report(failure: unknown, { method, url }: FastifyRequest): void {
    const told = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
    this.log.error(`${method} ${url}: ${told}`);
  }
}

/** Answers what Fastify refuses before it has found a route. */
export function refuseRequest(failure: unknown, _: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, describeFailure(failure));
}

function sendProblem(reply: FastifyReply, problem: Problem): void {
  const { status } = problem;
  if (status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
  reply.code(status).type('application/problem+json').send(problemOf(problem));
}

/** The problem document. */
export function problemOf({ status, detail, type, errors, rejected }: Problem): string {
  const title = STATUS_CODES[status];
  return JSON.stringify({ type: type ?? 'about:blank', title, status, detail, errors, rejected });
}

function describeFailure(failure: unknown): Problem {
  if (failure instanceof HttpException) return describeHttp(failure);
  if (failure instanceof ReadOnlyDatabaseError) return READ_ONLY;
  if (isDiskFull(failure)) return DISK_FULL;
  if (isDatabaseAway(failure) || failure instanceof ConnectionRejectedError) {
    const type = '/problems/database-unavailable';
    return { status: 503, type, detail: 'The database does not answer: try again in a moment.' };
  }
  if (hasErrorCode(failure, ...BROKEN_OFF) || failure instanceof ClientLeft) {
    return { status: 400, detail: 'The request broke off before its end.' };
  }
  const violation = findViolation(failure);
  if (violation) return { status: 409, detail: describeViolation(violation) };
  return describeFastify(failure) ?? { status: 500, detail: 'The service failed: this is a bug.' };
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html, class 23 */
function describeViolation({ code, message, table, constraint, column }: Violation): string {
  if (code === '23505') return 'There is such a record already.';
  if (code === '23503') {
    return `The table "${table}" still refers to it: change or delete those rows first.`;
  }
  if (code === '23502') return `The column "${column}" of the table "${table}" must not be empty.`;
  if (code === 'P0001') return `A trigger of the database does not allow it: ${message}`;
  return `The constraint "${constraint}" of the table "${table}" does not allow it.`;
}

function describeHttp(failure: HttpException): Problem {
  const status = failure.getStatus();
  const told = failure.getResponse() as Partial<Problem>;
  const detail = told.detail ?? describeFastify(failure.cause)?.detail ?? failure.message;
  return { status, detail, type: told.type, errors: told.errors, rejected: told.rejected };
}

/** Fastify's own errors carry the status they stand for. */
function describeFastify(failure: unknown): Problem | undefined {
  if (!(failure instanceof Error) || !('statusCode' in failure) || !('code' in failure)) return;
  const status = Number(failure.statusCode);
  if (status < 400 || status > 499) return;
  return { status, detail: FASTIFY_DETAILS[String(failure.code)] ?? failure.message };
}
