import { QueryFailedError } from 'typeorm';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const AWAY = /^(08...|53...|57P..|58...)$/;
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
  /^Connection terminated|^timeout exceeded when trying to connect|^timeout expired/;

/** Whether the database could not be reached, was lost or has no room: asking later may succeed. */
export function isDatabaseAway(failure: unknown): boolean {
  const cause = failure instanceof QueryFailedError ? failure.driverError : failure;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause ? String(cause.code) : '';
  if (AWAY.test(code) || LOST_CONNECTION.test(cause.message)) return true;
  return SOCKET_FAILURES.has(code) && 'syscall' in cause;
}

/** Whether a unique constraint of `table`, or of any, stood against it. */
export function isDuplicate(failure: unknown, table?: string): boolean {
  if (!(failure instanceof QueryFailedError)) return false;
  const { code, table: refusing } = failure.driverError as { code?: string; table?: string };
  return code === UNIQUE_VIOLATION && (table ?? refusing) === refusing;
}
