import { InvalidConfigurationError } from '../config/settings.js';
import {
  MissingPrivilegeError,
  UnsafeSchemaChangeError,
  UnsuitableDatabaseError,
} from '../database/schema-errors.js';
import { EmbeddedServerError } from '../embedded-postgres/embedded-server-error.js';
import { ConnectionRejectedError, isAboutEncryption } from '../pool/database-errors.js';
import { DeadlineExceededError } from '../pool/deadline.js';
import { ProblemError } from '../problems/problems.js';

interface SystemError extends Error {
  code: string;
  address?: string;
  port?: number;
}

const EXPLANATIONS: Record<string, (error: SystemError) => string> = {
  EADDRINUSE: ({ port }) =>
    `Port ${port} is in use. Stop the program that listens there, or set PORT to another one.`,
  EACCES: () =>
    'A port or a folder is not accessible to this user. Set PORT above 1023, and check DATA_DIR.',
  EADDRNOTAVAIL: ({ address }) => `HOST=${address} is not an address of this machine.`,
  ECONNREFUSED: () =>
    'The server in DATABASE_URL does not answer. Check that it is running, and its port.',
  ENOTFOUND: () => 'The host in DATABASE_URL is unknown. Check its name.',
  '28P01': () => 'The database rejected the password. Check DATABASE_URL.',
  '28000': () => 'The database rejected the user. Check DATABASE_URL.',
  '3D000': () => 'The database in DATABASE_URL does not exist. Create it, or name another one.',
};

const ENCRYPTION =
  'The database and DATABASE_URL disagree about encryption. Set sslmode=prefer to use what the server offers, ' +
  'sslmode=require if it requires TLS, sslmode=disable if it has none.';
const CERTIFICATE =
  'The certificate of the database is not trusted. Name its authority in DATABASE_URL with sslrootcert=FILE, ' +
  'or set sslmode=require to encrypt without verifying the server.';

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODES =
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** Errors whose message tells the reader what to do. */
const EXPLAINED_CLASSES = [
  InvalidConfigurationError,
  UnsafeSchemaChangeError,
  UnsuitableDatabaseError,
  MissingPrivilegeError,
  EmbeddedServerError,
  ConnectionRejectedError,
  DeadlineExceededError,
  ProblemError,
];

/** Says in one line why a program could not start or continue, and what to do about it, if it is known. */
export function explainStartupError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error instanceof ConnectionRejectedError ? error.cause : error;
  return (
    explainByCode(cause) ?? (isExplained(error) ? error.message : (error.stack ?? error.message))
  );
}

function explainByCode(error: unknown): string | undefined {
  if (isAboutEncryption(error)) return ENCRYPTION;
  // an error about a file names the file itself
  if (!(error instanceof Error) || !('code' in error) || 'path' in error) return undefined;
  const code = String(error.code);
  return CERTIFICATE_CODES.test(code) ? CERTIFICATE : EXPLANATIONS[code]?.(error as SystemError);
}

function isExplained(error: Error): boolean {
  if (EXPLAINED_CLASSES.some((errorClass) => error instanceof errorClass)) return true;
  return 'syscall' in error;
}
