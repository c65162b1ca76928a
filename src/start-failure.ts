import { HttpException } from '@nestjs/common';
import { hasErrorCode } from './database/error-code.js';
import { ConnectionRejectedError, isAboutEncryption } from './database/failures.js';
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

const ENCRYPTION =
  'The database and DATABASE_URL disagree about encryption: write sslmode=prefer to take what it offers, ' +
  'sslmode=require where it insists on TLS, sslmode=disable where it has none.';
const CERTIFICATE =
  'The certificate of the database is not trusted: name its authority in DATABASE_URL by sslrootcert=FILE, ' +
  'or write sslmode=require to encrypt without checking who answers.';

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODES =
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** https://nodejs.org/api/errors.html */
const MISSPELT_OPTIONS = ['ERR_PARSE_ARGS_UNKNOWN_OPTION', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'];

/** Says why the service could not start, and what to do about it, in one line where that is known. */
export function explainStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = explainByCode(error instanceof ConnectionRejectedError ? error.cause : error);
  return known ?? (isExpected(error) ? error.message : (error.stack ?? error.message));
}

function explainByCode(error: unknown): string | undefined {
  if (isAboutEncryption(error)) return ENCRYPTION;
  if (!(error instanceof Error) || !('code' in error) || !isAboutStart(error)) return;
  const code = String(error.code);
  return CERTIFICATE_CODES.test(code) ? CERTIFICATE : EXPLANATIONS[code];
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
