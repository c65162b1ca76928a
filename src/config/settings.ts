import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { cleanEnv, makeValidator, str } from 'envalid';
import { parseConnectionString } from './connection-string.js';

/** The validated settings. */
export type Settings = ReturnType<typeof parseSettings>;

type Variables = Record<string, string | undefined>;

/**
 * Reads the settings from the environment and from the file `.env`. Nothing else reads `process.env`.
 * @throws {InvalidConfigurationError} with all invalid settings.
 */
export function loadSettings(): Settings {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return parseSettings(process.env);
}

/** @throws {InvalidConfigurationError} with all invalid settings. */
export function parseSettings(variables: Variables) {
  const values = cleanEnv(variables, { ...VARIABLES }, { reporter: throwIfInvalid });
  const access = values.ACCESS ?? (isLoopback(values.HOST) ? 'open' : 'keys');
  const dataFolder = resolve(values.DATA_DIR);
  return {
    port: values.PORT,
    host: values.HOST,
    logLevel: values.LOG_LEVEL,
    /** Undefined for the embedded server. */
    database: parseDatabaseUrl(values.DATABASE_URL, variables),
    dataFolder,
    embeddedSocketFolder: socketFolderFor(dataFolder),
    poolSize: values.DB_POOL_SIZE,
    recycleSeconds: values.DB_RECYCLE_SECONDS,
    deadlineMs: values.DB_DEADLINE_MS,
    schema: values.DB_SCHEMA,
    maxUploadMb: values.MAX_UPLOAD_MB,
    /** Undefined if every host is allowed. */
    allowedHosts:
      access === 'open' && isLoopback(values.HOST)
        ? [...LOOPBACK_NAMES, ...values.ALLOWED_HOSTS]
        : undefined,
    access,
  };
}

/** Settings are invalid. The message names each of them, what is wrong, and what to write instead. */
export class InvalidConfigurationError extends Error {
  override readonly name = 'InvalidConfigurationError';
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const SCHEMA_MODES = ['sync', 'migrate', 'check', 'off'] as const;
export const ACCESS_MODES = ['open', 'keys', 'closed'] as const;

const VARIABLES = {
  PORT: wholeNumber({ from: 0, to: 65_535 })({ default: 3000 }),
  HOST: hostName()({ default: '127.0.0.1' }),
  LOG_LEVEL: oneOf(LOG_LEVELS)({ default: 'info' }),
  DATABASE_URL: str({ default: undefined }),
  DATA_DIR: folder()({ default: '.data' }),
  DB_POOL_SIZE: wholeNumber({ from: 2, to: 1000 })({ default: 10 }),
  DB_RECYCLE_SECONDS: wholeNumber({ from: 1, to: 86_400 })({ default: 55 }),
  DB_DEADLINE_MS: wholeNumber({ from: 100, to: 600_000 })({ default: 15_000 }),
  DB_SCHEMA: oneOf(SCHEMA_MODES)({ default: 'sync' }),
  ALLOWED_HOSTS: hostNames()({ default: [] }),
  MAX_UPLOAD_MB: wholeNumber({ from: 1, to: 1_048_576 })({ default: 1024 }),
  ACCESS: oneOf(ACCESS_MODES)({ default: undefined }),
};

function wholeNumber({ from, to }: { from: number; to: number }) {
  return makeValidator((text: string) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= from && number <= to) return number;
    throw new Error(`write a whole number from ${from} to ${to}`);
  });
}

function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return makeValidator((text: string) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice) return choice;
    throw new Error(`write one of ${choices.join(', ')}`);
  });
}

function hostName() {
  return makeValidator((text: string) => {
    if (isHostName(text)) return text;
    throw new Error('write an address or a host name, such as 127.0.0.1 or localhost');
  });
}

function hostNames() {
  return makeValidator((text: string) => {
    const names = text.split(',').map((name) => name.trim());
    if (names.every(isHostName)) return names;
    throw new Error('write host names without ports, as in marathons.example,10.0.0.7');
  });
}

function isHostName(text: string): boolean {
  return isIP(text) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text);
}

function folder() {
  return makeValidator((text: string) => {
    if (text.trim() && !text.includes('\0')) return text;
    throw new Error('write the path of a folder, such as .data');
  });
}

function parseDatabaseUrl(text: string | undefined, variables: Variables) {
  try {
    return text ? parseConnectionString(text, variables) : undefined;
  } catch (error) {
    throw new InvalidConfigurationError(`DATABASE_URL: ${(error as Error).message}.`);
  }
}

const LOOPBACK_NAMES = ['localhost', '[::1]'];

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** The path of a unix socket has at most about 100 bytes, so it cannot be in the data folder. */
function socketFolderFor(dataFolder: string): string {
  const digest = createHash('sha256').update(dataFolder).digest('hex').slice(0, 12);
  return `/tmp/marathon-registry-${digest}`;
}

function throwIfInvalid({ errors }: { errors: Partial<Record<string, Error>> }): void {
  const lines = Object.entries(errors).map(([name, error]) => `${name}: ${error?.message}.`);
  if (lines.length) throw new InvalidConfigurationError(lines.join('\n'));
}
