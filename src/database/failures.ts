import { isNativeError } from 'node:util/types';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { DeadlinePassed } from './deadline.js';
import { hasErrorCode } from './error-code.js';
import { ConnectionSilent } from './recycling-client.js';
import { QueueFull } from './slots.js';

/**
 * Lost or refused connections, no room, shutting down, failed over to a read-only server, beaten by
 * another transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AWAY = /^(08...|53...|57P..|58...|25006|25P03|40001|40P01|55P03)$/;
const UNIQUE_VIOLATION = '23505';

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
  ConnectionSilent,
  DeadlinePassed,
  QueueFull,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
];

/**
 * The database is there and does not let us in, with its reason as the cause: waiting does not help,
 * somebody has to mend the settings.
 */
export class ConnectionRefused extends Error {
  constructor(cause: unknown) {
    super(`The database refused the connection: ${String(cause)}`, { cause });
  }
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

/** Whether a unique constraint of `table`, or of any, stood against it. */
export function isDuplicate(failure: unknown, table?: string): boolean {
  const cause = causeOf(failure) as { table?: string };
  return hasErrorCode(cause, UNIQUE_VIOLATION) && (table ?? cause.table) === cause.table;
}

/** What the database said, without what TypeORM wraps it in. */
function causeOf(failure: unknown): unknown {
  return failure instanceof QueryFailedError ? failure.driverError : failure;
}
