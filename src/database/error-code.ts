import { isNativeError } from 'node:util/types';

/** Whether a failure of the system or the database carries one of these codes (`ENOENT`, `23505`). */
export function hasErrorCode(error: unknown, ...codes: string[]): boolean {
  return isNativeError(error) && 'code' in error && codes.includes(String(error.code));
}
