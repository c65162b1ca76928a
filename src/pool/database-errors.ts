import { isNativeError } from 'node:util/types';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { DeadlineExceededError } from './deadline.js';
import { hasErrorCode } from './error-code.js';
import { ResponseTimeoutError } from './recycling-client.js';
import { QueueFullError } from './semaphore.js';
import { NotPrimaryError } from './servers.js';

/**
 * Lost or rejected connections, insufficient resources, shutdown, failover to a read-only server, and
 * conflicts with another transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE = /^(08...|53(?!100)...|57P..|58...|25006|25P03|40001|40P01|55P03)$/;
/** Class 23, and what a trigger raises. */
const INTEGRITY_VIOLATION = /^(23|P0001$)/;
const UNIQUE_VIOLATION = '23505';
/** The function of Citus that reports what another server rejected, with its words and without its code. */
const CITUS_COPY_ERROR = 'ReportCopyError';
/** Invalid regular expression, syntax error, undefined object, invalid text and number of a cast. */
const EXPRESSION_ERRORS = ['2201B', '42601', '42704', '22P02', '22003'];
const EXPRESSION =
  /regular expression|tsquery|text search configuration|invalid input syntax|out of range/;
const READ_ONLY = '25006';
const DATABASE_DISK_FULL = '53100';

const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Errors of pg that have no code. */
const LOST_CONNECTION =
  /^Connection terminated|^timeout exceeded when trying to connect|^timeout expired|^Client (has encountered a connection error|was closed)/;

/** Messages of pg, PostgreSQL and poolers about a server without TLS, or one that requires it. */
const ENCRYPTION = /does not support SSL|no encryption|SSL off|insecure|SSL required/i;

/** Errors of the pool, and of TypeORM for a connection that failed between statements of a transaction. */
const UNAVAILABLE_CLASSES = [
  ResponseTimeoutError,
  DeadlineExceededError,
  QueueFullError,
  NotPrimaryError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
];

/**
 * The database rejects the connection for a reason that does not pass, which is the cause. Someone has to
 * correct the configuration.
 */
export class ConnectionRejectedError extends Error {
  override readonly name = 'ConnectionRejectedError';

  constructor(cause: unknown) {
    super(`The database rejected the connection: ${String(cause)}`, { cause });
  }
}

/** The database accepts no writes: it is a standby, or `default_transaction_read_only` is on. */
export class ReadOnlyDatabaseError extends Error {
  override readonly name = 'ReadOnlyDatabaseError';

  constructor(cause: unknown) {
    super('The database is read-only: it accepts no writes.', { cause });
  }
}

/** Whether a write was rejected because the server or the session is read-only. */
export function isReadOnlyFailure(failure: unknown): boolean {
  return hasErrorCode(causeOf(failure), READ_ONLY);
}

/** Whether the disk of the service or of the database is full. */
export function isDiskFull(failure: unknown): boolean {
  return hasErrorCode(causeOf(failure), 'ENOSPC', 'EDQUOT', 'EFBIG', DATABASE_DISK_FULL);
}

/** Whether the server requires TLS, or has none. */
export function isAboutEncryption(failure: unknown): boolean {
  return isNativeError(failure) && ENCRYPTION.test(failure.message);
}

/** Whether a pooler rejected a transaction: https://www.pgbouncer.org/config.html#pool_mode */
export function isStatementPooling(failure: unknown): boolean {
  const cause = causeOf(failure);
  return isNativeError(cause) && cause.message.includes('statement pooling mode');
}

/** Whether the database is unreachable, lost or overloaded: a retry may succeed. */
export function isDatabaseUnavailable(failure: unknown): boolean {
  const cause = causeOf(failure);
  if (!isNativeError(cause)) return false;
  const code = 'code' in cause ? String(cause.code) : '';
  if (UNAVAILABLE.test(code) || LOST_CONNECTION.test(cause.message)) return true;
  if (UNAVAILABLE_CLASSES.some((errorClass) => cause instanceof errorClass)) return true;
  return SOCKET_ERRORS.has(code) && 'syscall' in cause;
}

/** A constraint or a trigger of the database that rejected a write. */
export interface Violation {
  code: string;
  message: string;
  table?: string;
  constraint?: string;
  column?: string;
}

/** Returns undefined for other failures. */
export function findViolation(failure: unknown): Violation | undefined {
  const cause = causeOf(failure);
  if (!isNativeError(cause) || !('code' in cause)) return undefined;
  const isViolation = INTEGRITY_VIOLATION.test(String(cause.code)) || isRejectedCopy(cause);
  return isViolation ? (cause as Error & Violation) : undefined;
}

/** Violations have a detail; most other failures of a server have none. */
function isRejectedCopy(cause: object): boolean {
  const { routine, detail } = cause as { routine?: string; detail?: string };
  return routine === CITUS_COPY_ERROR && detail !== undefined;
}

/**
 * The message of PostgreSQL about a regular expression, a query of a full-text search, a language or a cast
 * that it cannot use; undefined for other failures. Syntax errors share their code with those of SQL.
 */
export function findInvalidExpression(failure: unknown): string | undefined {
  const cause = causeOf(failure);
  if (!isNativeError(cause) || !hasErrorCode(cause, ...EXPRESSION_ERRORS)) return undefined;
  return EXPRESSION.test(cause.message) ? cause.message : undefined;
}

/** Whether a unique constraint of `table` rejected a write. */
export function isUniqueViolation(failure: unknown, table: string): boolean {
  const cause = causeOf(failure) as { table?: string };
  return hasErrorCode(cause, UNIQUE_VIOLATION) && cause.table === table;
}

/** Whether a record was rejected because its id is taken. The detail names the column in every language. */
export function isIdTaken(failure: unknown): boolean {
  const cause = causeOf(failure) as { detail?: string; routine?: string };
  const isTaken = hasErrorCode(cause, UNIQUE_VIOLATION) || isRejectedCopy(cause);
  return isTaken && /\(id\)=/.test(cause.detail ?? '');
}

/** The error of the database, without TypeORM's wrapper. */
export function causeOf(failure: unknown): unknown {
  return failure instanceof QueryFailedError ? failure.driverError : failure;
}
