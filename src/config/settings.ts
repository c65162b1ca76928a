import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { cleanEnv, str, type CleanedEnv } from 'envalid';
import { parseConnectionString } from './connection-string.js';
import {
  folder,
  hostName,
  hostNames,
  noneOrFrom,
  oneOf,
  origins,
  trustedProxies,
  wholeNumber,
} from './validators.js';

/** The validated settings. */
export type Settings = ReturnType<typeof parseSettings>;

/** What clients may send, and how fast. */
export type Limits = Settings['limits'];

type Values = CleanedEnv<typeof VARIABLES>;

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
  const isPrivate = access === 'open' && isLoopback(values.HOST);
  const dataFolder = resolve(values.DATA_DIR);
  return {
    port: values.PORT,
    host: values.HOST,
    logLevel: values.LOG_LEVEL,
    /** Undefined for the embedded server. */
    database: parseDatabaseUrl('DATABASE_URL', variables),
    /** The same database without a pooler; undefined if there is none. */
    directDatabase: parseDatabaseUrl('DATABASE_DIRECT_URL', variables),
    replicas: parseReplicaUrls(values.DATABASE_REPLICA_URLS, variables),
    dataFolder,
    embeddedSocketFolder: socketFolderFor(dataFolder),
    workers: values.WORKERS,
    /** Of each worker. */
    poolSize: Math.max(MIN_POOL_SIZE, shareOf(values.DB_POOL_SIZE, values)),
    recycleSeconds: values.DB_RECYCLE_SECONDS,
    deadlineMs: values.DB_DEADLINE_MS,
    /** 0 keeps everything, as below. */
    journalDays: values.JOURNAL_DAYS,
    idempotencyHours: values.IDEMPOTENCY_HOURS,
    schema: values.DB_SCHEMA,
    distribution: values.DB_DISTRIBUTE,
    access,
    /** Undefined if every host is allowed. */
    allowedHosts: isPrivate ? [...LOOPBACK_NAMES, ...values.ALLOWED_HOSTS] : undefined,
    metrics: values.METRICS,
    isTraced: isTraced(variables),
    /** Undefined if all addresses are on one port. */
    adminPort: values.ADMIN_PORT,
    trustProxy: values.TRUST_PROXY ?? false,
    corsOrigins: values.CORS_ORIGINS,
    limits: limitsOf(values, isPrivate),
  };
}

/** Without keys, and for this machine only, clients are not limited unless it is set. 0 is no limit. */
function limitsOf(values: Values, isPrivate: boolean) {
  return {
    uploadMb: values.MAX_UPLOAD_MB,
    bodyKb: values.MAX_BODY_KB,
    headersKb: values.MAX_HEADERS_KB,
    urlLength: values.MAX_URL_LENGTH,
    headersTimeoutSeconds: values.HEADERS_TIMEOUT_SECONDS,
    bodyTimeoutSeconds: values.BODY_TIMEOUT_SECONDS,
    minBodyBytesPerSecond: values.MIN_BODY_BYTES_PER_SECOND,
    connections: shareOf(values.MAX_CONNECTIONS, values),
    connectionsPerAddress: shareOf(
      values.MAX_CONNECTIONS_PER_ADDRESS ?? (isPrivate || values.TRUST_PROXY ? 0 : 1000),
      values,
    ),
    requestsPerMinutePerKey: values.REQUESTS_PER_MINUTE_PER_KEY ?? (isPrivate ? 0 : 6000),
    requestsPerMinutePerAddress: values.REQUESTS_PER_MINUTE_PER_ADDRESS ?? (isPrivate ? 0 : 1200),
    conditions: values.MAX_CONDITIONS,
    conditionDepth: values.MAX_CONDITION_DEPTH,
  };
}

/** Workers get connections in turn, so that each of them has its part of all. */
function shareOf(count: number, { WORKERS }: Values): number {
  return Math.ceil(count / WORKERS);
}

/** Settings are invalid. The message names each of them, what is wrong, and what to write instead. */
export class InvalidConfigurationError extends Error {
  override readonly name = 'InvalidConfigurationError';
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const SCHEMA_MODES = ['sync', 'migrate', 'check', 'off'] as const;
export const DISTRIBUTIONS = ['none', 'citus'] as const;
export const ACCESS_MODES = ['open', 'keys', 'closed'] as const;

const MIN_POOL_SIZE = 2;

const VARIABLES = {
  PORT: wholeNumber({ from: 0, to: 65_535 })({ default: 3000 }),
  HOST: hostName()({ default: '127.0.0.1' }),
  LOG_LEVEL: oneOf(LOG_LEVELS)({ default: 'info' }),
  DATABASE_URL: str({ default: undefined }),
  DATABASE_DIRECT_URL: str({ default: undefined }),
  DATABASE_REPLICA_URLS: str({ default: '' }),
  DATA_DIR: folder()({ default: '.data' }),
  WORKERS: wholeNumber({ from: 1, to: 128 })({ default: 1 }),
  DB_POOL_SIZE: wholeNumber({ from: MIN_POOL_SIZE, to: 1000 })({ default: 10 }),
  DB_RECYCLE_SECONDS: wholeNumber({ from: 1, to: 86_400 })({ default: 55 }),
  DB_DEADLINE_MS: wholeNumber({ from: 100, to: 600_000 })({ default: 15_000 }),
  DB_SCHEMA: oneOf(SCHEMA_MODES)({ default: 'sync' }),
  DB_DISTRIBUTE: oneOf(DISTRIBUTIONS)({ default: 'none' }),
  JOURNAL_DAYS: wholeNumber({ from: 0, to: 36_500 })({ default: 0 }),
  IDEMPOTENCY_HOURS: noneOrFrom({ from: 24, to: 876_000 })({ default: 0 }),
  MAX_BODY_KB: wholeNumber({ from: 1, to: 102_400 })({ default: 1024 }),
  MAX_HEADERS_KB: wholeNumber({ from: 1, to: 1024 })({ default: 16 }),
  MAX_URL_LENGTH: wholeNumber({ from: 256, to: 1_048_576 })({ default: 8192 }),
  HEADERS_TIMEOUT_SECONDS: wholeNumber({ from: 1, to: 3600 })({ default: 20 }),
  BODY_TIMEOUT_SECONDS: wholeNumber({ from: 1, to: 3600 })({ default: 30 }),
  MIN_BODY_BYTES_PER_SECOND: wholeNumber({ from: 1, to: 1_048_576 })({ default: 1024 }),
  MAX_CONNECTIONS: wholeNumber({ from: 1, to: 1_000_000 })({ default: 10_000 }),
  MAX_CONNECTIONS_PER_ADDRESS: wholeNumber({ from: 0, to: 1_000_000 })({ default: undefined }),
  REQUESTS_PER_MINUTE_PER_KEY: wholeNumber({ from: 0, to: 1e9 })({ default: undefined }),
  REQUESTS_PER_MINUTE_PER_ADDRESS: wholeNumber({ from: 0, to: 1e9 })({ default: undefined }),
  MAX_CONDITIONS: wholeNumber({ from: 1, to: 1000 })({ default: 200 }),
  MAX_CONDITION_DEPTH: wholeNumber({ from: 1, to: 50 })({ default: 10 }),
  METRICS: oneOf(['on', 'off'])({ default: 'on' }),
  ADMIN_PORT: wholeNumber({ from: 0, to: 65_535 })({ default: undefined }),
  TRUST_PROXY: trustedProxies()({ default: undefined }),
  CORS_ORIGINS: origins()({ default: [] }),
  ALLOWED_HOSTS: hostNames()({ default: [] }),
  MAX_UPLOAD_MB: wholeNumber({ from: 1, to: 1_048_576 })({ default: 1024 }),
  ACCESS: oneOf(ACCESS_MODES)({ default: undefined }),
};

function parseReplicaUrls(text: string, variables: Variables) {
  const urls = text.split(NEXT_URL).filter(Boolean);
  return urls.map((url) => parseDatabaseUrl('DATABASE_REPLICA_URLS', variables, url)!);
}

function parseDatabaseUrl(name: string, variables: Variables, text = variables[name]) {
  try {
    return text ? parseConnectionString(text, variables) : undefined;
  } catch (error) {
    throw new InvalidConfigurationError(`${name}: ${(error as Error).message}.`);
  }
}

/** A password may have a comma. */
const NEXT_URL = /[\s,]+(?=postgres(?:ql)?:\/\/)/;

const LOOPBACK_NAMES = ['localhost', '[::1]'];

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** The other variables of OpenTelemetry are read by its library. */
function isTraced(variables: Variables): boolean {
  if (variables.OTEL_SDK_DISABLED === 'true' || variables.OTEL_TRACES_EXPORTER === 'none')
    return false;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } =
    variables;
  return Boolean(all ?? traces) || variables.OTEL_TRACES_EXPORTER === 'otlp';
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
