import { isNativeError } from 'node:util/types';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { DeadlineExceeded } from './deadline.js';
import { hasErrorCode } from './error-code.js';
import { ResponseTimeout } from './recycling-client.js';
import { QueueFull } from './slots.js';

/**
 * Lost or refused connections, no room, shutting down, failed over to a read-only server, beaten by
 * another transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AWAY = /^(08...|53(?!100)...|57P..|58...|25006|25P03|40001|40P01|55P03)$/;
/** Class 23, and what a trigger raises. */
const INTEGRITY_VIOLATION = /^(23|P0001$)/;
const UNIQUE_VIOLATION = '23505';
const READ_ONLY = '25006';
const DATABASE_DISK_FULL = '53100';

const SOCKET_FAILURES = new Set([
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

/** pg gives these no code. */
const LOST_CONNECTION =
  /^Connection terminated|^timeout exceeded when trying to connect|^timeout expired|^Client (has encountered a connection error|was closed)/;

/** pg's words for a server without TLS; PostgreSQL's and poolers' for one that insists on it. */
const ENCRYPTION = /does not support SSL|no encryption|SSL off|insecure|SSL required/i;

/** The pool's own, and what TypeORM says where a connection died between two statements of a transaction. */
const LOST = [
  ResponseTimeout,
  DeadlineExceeded,
  QueueFull,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
];

/**
 * The database is there and does not let us in, with its reason as the cause: waiting does not help,
 * somebody has to mend the settings.
 */
export class ConnectionRejectedError extends Error {
  constructor(cause: unknown) {
    super(`The database refused the connection: ${String(cause)}`, { cause });
  }
}

/**
 * The database takes no writes: it is a standby, or `default_transaction_read_only` is on. Reads work.
 */
export class ReadOnlyDatabaseError extends Error {
  constructor(cause: unknown) {
    super('The database is read-only: it takes no writes.', { cause });
  }
}

/** Whether a write was refused because the server, or the session, is read-only. */
export function isReadOnlyFailure(failure: unknown): boolean {
  return hasErrorCode(causeOf(failure), READ_ONLY);
}

/** Whether the disk is full: ours, or that of the database. */
export function isDiskFull(failure: unknown): boolean {
  return hasErrorCode(causeOf(failure), 'ENOSPC', 'EDQUOT', 'EFBIG', DATABASE_DISK_FULL);
}

/** Whether the server would talk to us only with TLS, or only without. */
export function isAboutEncryption(failure: unknown): boolean {
  return isNativeError(failure) && ENCRYPTION.test(failure.message);
}

/** Whether the database could not be reached, was lost or has no room: asking later may succeed. */
export function isDatabaseAway(failure: unknown): boolean {
  const cause = causeOf(failure);
  if (!isNativeError(cause)) return false;
  const code = 'code' in cause ? String(cause.code) : '';
  if (AWAY.test(code) || LOST_CONNECTION.test(cause.message)) return true;
  if (LOST.some((kind) => cause instanceof kind)) return true;
  return SOCKET_FAILURES.has(code) && 'syscall' in cause;
}

/** A constraint or a trigger of the database stood against a write: which one, and of which table. */
export interface Violation {
  code: string;
  message: string;
  table?: string;
  constraint?: string;
  column?: string;
}

/** Undefined if it was something else. */
export function findViolation(failure: unknown): Violation | undefined {
  const cause = causeOf(failure);
  if (!isNativeError(cause) || !('code' in cause)) return undefined;
  return INTEGRITY_VIOLATION.test(String(cause.code)) ? (cause as Error & Violation) : undefined;
}

/** Whether a unique constraint of `table`, or of any, stood against it. */
export function isDuplicate(failure: unknown, table?: string): boolean {
  const cause = causeOf(failure) as { table?: string };
  return hasErrorCode(cause, UNIQUE_VIOLATION) && (table ?? cause.table) === cause.table;
}

/** What the database said, without what TypeORM wraps it in. */
export function causeOf(failure: unknown): unknown {
  return failure instanceof QueryFailedError ? failure.driverError : failure;
}
