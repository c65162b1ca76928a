import { HttpException } from '@nestjs/common';
import { hasErrorCode } from './database/error-code.js';
import { environment } from './environment.js';

const EXPLANATIONS: Record<string, string> = {
  EADDRINUSE: `Port ${environment.port} is taken: stop what listens there, or set PORT to another.`,
  EACCES: `Port ${environment.port} or a folder is closed to this user: set PORT above 1023, and check DATA_DIR.`,
  EADDRNOTAVAIL: `HOST=${environment.host} is no address of this machine.`,
  ECONNREFUSED: 'Nothing answers at DATABASE_URL: is the server running, and the port right?',
  ENOTFOUND: 'The host in DATABASE_URL is not known: check its name.',
  '28P01': 'The database refused the password: check DATABASE_URL.',
  '28000': 'The database refused this user: check DATABASE_URL.',
  '3D000': 'The database in DATABASE_URL does not exist: create it, or name another.',
};

/** https://nodejs.org/api/errors.html */
const MISSPELT_OPTIONS = ['ERR_PARSE_ARGS_UNKNOWN_OPTION', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'];

/** Says why the service could not start, and what to do about it, in one line where that is known. */
export function explainStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && isAboutStart(error) ? String(error.code) : '';
  return EXPLANATIONS[code] ?? (isExpected(error) ? error.message : (error.stack ?? error.message));
}

/** A file that cannot be read is told by its own name. */
function isAboutStart(error: Error): boolean {
  return !('path' in error);
}

/** Errors that this project throws at start hold no code; the system's name the file or call. */
function isExpected(error: Error): boolean {
  if (error instanceof HttpException || hasErrorCode(error, ...MISSPELT_OPTIONS)) return true;
  return 'syscall' in error || (error.name === 'Error' && !('code' in error));
}
