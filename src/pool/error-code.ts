import { isNativeError } from 'node:util/types';

/** Whether an error of the system or of the database has one of these codes (`ENOENT`, `23505`). */
export function hasErrorCode(error: unknown, ...codes: string[]): boolean {
  return isNativeError(error) && 'code' in error && codes.includes(String(error.code));
}
