import type { ConnectionOptions } from 'node:tls';
import { isNativeError } from 'node:util/types';
import type { ClientConfig } from 'pg';
import { parse, toClientConfig, type ConnectionOptions as Address } from 'pg-connection-string';

/** How to reach a database. */
export interface ConnectionSettings extends ClientConfig {
  /** What is tried if the server rejects `ssl`. */
  sslFallback?: ClientConfig['ssl'];
  /** If there are several. */
  servers?: { host: string; port: number }[];
  /** Which of them is used. */
  targetServer?: 'primary' | 'any';
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
  'write hosts as in one.example:5432,two.example:5432, and in the password %23 for #, %2F for /, %3F for ?, %40 for @, %25 for %';

/** What is before the hosts and behind them. A password may have an `@`, as in `new URL`. */
const AUTHORITY = /^(?<before>\w+:\/\/(?:[^/?]*@)?)(?<hosts>[^/?]*)(?<after>.*)$/s;
const DEFAULT_PORT = 5432;

/**
 * The values of libpq, for several hosts. Standbys are used by another setting.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS
 */
const TARGET_SERVERS: Record<string, ConnectionSettings['targetServer']> = {
  'read-write': 'primary',
  primary: 'primary',
  any: 'any',
};

/**
 * Parses `postgresql://user:password@host/database?sslmode=…` as psql does, with one host or with several. Absent parts default to
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
  const [first, ...others] = splitHosts(text).map(parseAddress) as [Address, ...Address[]];
  const {
    ssl: files,
    sslmode: sslMode = PGSSLMODE ?? 'prefer',
    target_session_attrs: target,
    ...address
  } = first;
  const isSocket = (address.host || PGHOST)?.startsWith('/');
  return {
    ...toClientConfig(address),
    enableChannelBinding: (address.channel_binding ?? 'disable') !== 'disable',
    ...(isSocket ? { ssl: false } : parseSslMode(sslMode as string, files as ConnectionOptions)),
    ...(others.length && serversOf([first, ...others], target as string | undefined)),
  };
}

/** Several hosts in the place of one, or several in the parameters `host` and `port`: an address for each. */
function splitHosts(text: string): string[] {
  const { hosts, before, after } = AUTHORITY.exec(text)!.groups as Record<string, string>;
  const { searchParams } = new URL(`x:${after!.replace('#', '%23')}`);
  const [names = [], ports = []] = ['host', 'port'].map((key) => searchParams.get(key)?.split(','));
  if (hosts!.includes(',')) return hosts!.split(',').map((host) => `${before}${host}${after}`);
  if (names.length < 2) return [text];
  return names.map((name, index) => {
    searchParams.set('host', name);
    searchParams.set('port', ports[index] ?? ports[0] ?? '');
    return `${before}${hosts}${after!.replace(/\?.*$/s, '')}?${searchParams.toString()}`;
  });
}

function serversOf(addresses: Address[], target = 'read-write') {
  const targetServer = TARGET_SERVERS[target];
  if (!targetServer) {
    throw new Error(
      'target_session_attrs has to be read-write, primary or any: name standbys in DATABASE_REPLICA_URLS',
    );
  }
  const servers = addresses.map(({ host, port }) => ({
    host: host ?? 'localhost',
    port: Number(port ?? DEFAULT_PORT) || DEFAULT_PORT,
  }));
  return { servers, targetServer };
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
