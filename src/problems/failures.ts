import { HttpException } from '@nestjs/common';
import {
  ConnectionRejectedError,
  findInvalidExpression,
  findViolation,
  isDatabaseUnavailable,
  isDiskFull,
  ReadOnlyDatabaseError,
  type Violation,
} from '../pool/database-errors.js';
import { hasErrorCode } from '../pool/error-code.js';
import { ClientDisconnectedError } from './client-disconnected-error.js';
import { ProblemError, type Problem, type ProblemCode } from './problems.js';

export const MALFORMED_ADDRESS =
  'The address is not well-formed. Each % must begin the bytes of a character in UTF-8, as in %C3%BC for ü.';

type FailureRule = [matches: (failure: unknown) => boolean, code: ProblemCode, detail: string];

/** The first rule that matches a failure names its problem. */
const FAILURE_RULES: FailureRule[] = [
  [
    (failure) => failure instanceof ReadOnlyDatabaseError,
    'database_read_only',
    'The database accepts no writes at the moment: it is read-only, or a standby. Reads work. Send the write again later.',
  ],
  [
    isDiskFull,
    'disk_full',
    'The disk is full, and nothing was stored. Send the request again when the operator has freed space.',
  ],
  [
    (failure) => isDatabaseUnavailable(failure) || failure instanceof ConnectionRejectedError,
    'database_unavailable',
    'The database does not answer. Try again in a moment.',
  ],
  [
    isAborted,
    'aborted_upload',
    'The upload ended before the complete body was received. Send it again.',
  ],
];

/** Nest's exceptions come from its router only. */
const CODES_BY_STATUS: Record<number, ProblemCode> = {
  404: 'unknown_address',
  405: 'method_not_allowed',
};

/** https://fastify.dev/docs/latest/Reference/Errors/ */
const FASTIFY_PROBLEMS: Record<string, Problem> = {
  FST_ERR_BAD_URL: { code: 'malformed_address', detail: MALFORMED_ADDRESS },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'malformed_json',
    detail: 'The body is not well-formed JSON, or has a member __proto__.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'missing_body',
    detail: 'There is no body. Send one JSON object.',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'body_too_large',
    detail: 'The body is too large.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    detail: 'Send JSON, with the header Content-Type: application/json.',
  },
};

/** Names the problem behind a failure. A failure without a rule is a bug in the service. */
export function toProblem(failure: unknown): Problem {
  if (failure instanceof ProblemError) return failure;
  const rule = FAILURE_RULES.find(([matches]) => matches(failure));
  if (rule) return { code: rule[1], detail: rule[2] };
  const expression = findInvalidExpression(failure);
  if (expression) return { code: 'invalid_parameter', detail: describeExpression(expression) };
  const violation = findViolation(failure);
  if (violation) return { code: 'constraint_violation', detail: describeViolation(violation) };
  return (
    fastifyProblem(failure) ??
    routerProblem(failure) ?? {
      code: 'internal_error',
      detail: 'The service failed because of a bug. Its log has the details.',
    }
  );
}

function isAborted(failure: unknown): boolean {
  if (failure instanceof ClientDisconnectedError) return true;
  return hasErrorCode(failure, 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE');
}

function routerProblem(failure: unknown): Problem | undefined {
  if (!(failure instanceof HttpException)) return undefined;
  const code = CODES_BY_STATUS[failure.getStatus()];
  return fastifyProblem(failure.cause) ?? (code && { code, detail: failure.message });
}

function fastifyProblem(failure: unknown): Problem | undefined {
  if (!(failure instanceof Error) || !('code' in failure)) return undefined;
  const known = FASTIFY_PROBLEMS[String(failure.code)];
  if (known) return known;
  const isClientError = 'statusCode' in failure && Number(failure.statusCode) < 500;
  return isClientError ? { code: 'malformed_request', detail: failure.message } : undefined;
}

function describeExpression(message: string): string {
  return `PostgreSQL cannot evaluate a parameter: ${message}. Correct the filter, or the cast in select.`;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html, class 23 and P0001 */
function describeViolation({ code, message, table, constraint, column }: Violation): string {
  // another server of a distributed table tells nothing but the message
  const isNamed = table !== undefined || ['23505', 'P0001'].includes(code);
  if (!isNamed) return `The database does not allow it: ${message}`;
  switch (code) {
    case '23505':
      return 'A record with these values exists already.';
    case '23503':
      return `The table "${table}" still refers to it. Change or delete those rows first.`;
    case '23502':
      return `The column "${column}" of the table "${table}" must not be empty.`;
    case 'P0001':
      return `A trigger of the database rejected the write: ${message}`;
    default:
      return `The constraint "${constraint}" of the table "${table}" does not allow it.`;
  }
}
