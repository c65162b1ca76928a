import type { ConnectionOptions } from 'node:tls';
import { isNativeError } from 'node:util/types';
import type { ClientConfig } from 'pg';
import { parse, toClientConfig, type ConnectionOptions as Address } from 'pg-connection-string';

/** How to reach a database. */
export interface ConnectionSettings extends ClientConfig {
  /** What is tried if the server rejects `ssl`. */
  sslFallback?: ClientConfig['ssl'];
}

type Encryption = Pick<ConnectionSettings, 'ssl' | 'sslFallback'>;

/** Encrypted, without verification of the server. */
const UNVERIFIED: ConnectionOptions = { rejectUnauthorized: false };
/** Encrypted, with a certificate of the authority, for any host name. */
const ANY_NAME: ConnectionOptions = { checkServerIdentity: () => undefined };

/**
 * The meanings of `sslmode` in libpq. pg treats most of them as `verify-full`:
 * https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
const SSL_MODES: Record<string, (files: ConnectionOptions) => Encryption> = {
  disable: () => ({ ssl: false }),
  allow: (files) => ({ ssl: false, sslFallback: { ...files, ...UNVERIFIED } }),
  prefer: (files) => ({ ssl: { ...files, ...UNVERIFIED }, sslFallback: false }),
  require: (files) => ({ ssl: { ...files, ...(files.ca ? ANY_NAME : UNVERIFIED) } }),
  'no-verify': (files) => ({ ssl: { ...files, ...UNVERIFIED } }),
  'verify-ca': (files) => ({ ssl: { ...files, ...ANY_NAME } }),
  'verify-full': (files) => ({ ssl: files }),
};

const NEEDS_AUTHORITY = 'sslmode=verify-ca needs the authority: add sslrootcert=FILE';
const MALFORMED =
  'write one host, and in the password %23 for #, %2F for /, %3F for ?, %40 for @, %25 for %';

/**
 * Parses `postgresql://user:password@host/database?sslmode=…` as psql does. Absent parts default to
 * `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE` and `~/.pgpass`.
 * @throws {Error} that says what to write. It never repeats the address, which contains a password.
 */
export function parseConnectionString(
  text: string,
  { PGHOST, PGSSLMODE }: Record<string, string | undefined> = {},
): ConnectionSettings {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new Error('write postgresql://user:password@host/database, or leave it unset');
  }
  const { ssl: files, sslmode: sslMode = PGSSLMODE ?? 'prefer', ...address } = parseAddress(text);
  const isSocket = (address.host || PGHOST)?.startsWith('/');
  return {
    ...toClientConfig(address),
    enableChannelBinding: (address.channel_binding ?? 'disable') !== 'disable',
    ...(isSocket ? { ssl: false } : parseSslMode(sslMode as string, files as ConnectionOptions)),
  };
}

/** `sslrootcert=system` stands for the authorities that Node trusts. */
function parseAddress(text: string): Address {
  const isCompatible = text.includes('uselibpqcompat=');
  try {
    const named = text.replace(/\bsslrootcert=system\b/, '');
    const settings = parse(named, { useLibpqCompat: !isCompatible });
    // the parser does not decode an encoded slash
    return { ...settings, database: settings.database && decodeURIComponent(settings.database) };
  } catch (error) {
    if (!isNativeError(error)) throw error;
    if ('path' in error) throw new Error(`cannot read ${String(error.path)}`, { cause: error });
    const needsAuthority = error.message.includes('sslrootcert');
    throw new Error(needsAuthority ? NEEDS_AUTHORITY : MALFORMED, { cause: error });
  }
}

function parseSslMode(mode: string, files: ConnectionOptions = {}): Encryption {
  const encryptionOf = SSL_MODES[mode];
  if (encryptionOf) return encryptionOf(files);
  throw new Error(`sslmode has to be one of ${Object.keys(SSL_MODES).join(', ')}`);
}
