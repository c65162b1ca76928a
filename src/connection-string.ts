import type { ConnectionOptions } from 'node:tls';
import { isNativeError } from 'node:util/types';
import type { ClientConfig } from 'pg';
import { parse, toClientConfig, type ConnectionOptions as Address } from 'pg-connection-string';

/** How to reach a database. */
export interface ConnectionSettings extends ClientConfig {
  /** What to try where the server does not want what `ssl` says. */
  sslInstead?: ClientConfig['ssl'];
}

type Encryption = Pick<ConnectionSettings, 'ssl' | 'sslInstead'>;

/** Encrypted, whoever answers. */
const UNVERIFIED: ConnectionOptions = { rejectUnauthorized: false };
/** Encrypted, by anybody whom the authority knows. */
const ANY_NAME: ConnectionOptions = { checkServerIdentity: () => undefined };

/**
 * What `sslmode` means to psql, and so to whoever wrote the address; pg by itself takes most of them
 * for `verify-full`: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
const SSL_MODES: Record<string, (files: ConnectionOptions) => Encryption> = {
  disable: () => ({ ssl: false }),
  allow: (files) => ({ ssl: false, sslInstead: { ...files, ...UNVERIFIED } }),
  prefer: (files) => ({ ssl: { ...files, ...UNVERIFIED }, sslInstead: false }),
  require: (files) => ({ ssl: { ...files, ...(files.ca ? ANY_NAME : UNVERIFIED) } }),
  'no-verify': (files) => ({ ssl: { ...files, ...UNVERIFIED } }),
  'verify-ca': (files) => ({ ssl: { ...files, ...ANY_NAME } }),
  'verify-full': (files) => ({ ssl: files }),
};

const NEEDS_AUTHORITY = 'sslmode=verify-ca needs the authority: add sslrootcert=FILE';
const MALFORMED =
  'write one host, and in the password %23 for #, %2F for /, %3F for ?, %40 for @, %25 for %';

/**
 * Reads `postgresql://user:password@host/database?sslmode=…` as psql does. What it leaves out is taken
 * from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE` and `~/.pgpass`.
 * @throws {Error} that says what to write, and never repeats the address: it holds a password.
 */
export function readConnectionString(
  text: string,
  { PGHOST, PGSSLMODE }: Record<string, string | undefined> = {},
): ConnectionSettings {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new Error('write postgresql://user:password@host/database, or leave it unset');
  }
  const { ssl: files, sslmode: sslMode = PGSSLMODE ?? 'prefer', ...settings } = readAddress(text);
  const isSocket = (settings.host || PGHOST)?.startsWith('/');
  return {
    ...toClientConfig(settings),
    enableChannelBinding: (settings.channel_binding ?? 'disable') !== 'disable',
    ...(isSocket ? { ssl: false } : readSslMode(sslMode as string, files as ConnectionOptions)),
  };
}

/** `sslrootcert=system` names no file, but the authorities that Node knows. */
function readAddress(text: string): Address {
  const isCompatible = text.includes('uselibpqcompat=');
  try {
    const named = text.replace(/\bsslrootcert=system\b/, '');
    const settings = parse(named, { useLibpqCompat: !isCompatible });
    // the parser leaves an encoded slash as it is
    return { ...settings, database: settings.database && decodeURIComponent(settings.database) };
  } catch (error) {
    if (!isNativeError(error)) throw error;
    if ('path' in error) throw new Error(`cannot read ${String(error.path)}`, { cause: error });
    const needsAuthority = error.message.includes('sslrootcert');
    throw new Error(needsAuthority ? NEEDS_AUTHORITY : MALFORMED, { cause: error });
  }
}

function readSslMode(mode: string, files: ConnectionOptions = {}): Encryption {
  const read = SSL_MODES[mode];
  if (read) return read(files);
  throw new Error(`sslmode has to be one of ${Object.keys(SSL_MODES).join(', ')}`);
}
