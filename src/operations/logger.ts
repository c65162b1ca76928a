import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from '../config/settings.js';
import { LogOutput } from './log-output.js';

/** Nest logs how it assembled the application, and repeats a failed start that `main` reports. */
const FRAMEWORK_CONTEXTS = new Set<unknown>([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'TypeOrmModule',
  'ExceptionHandler',
]);

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/** Makes the logger of the service: JSON lines, or colored text in a terminal. */
export function makeLogger(level: Settings['logLevel']): Logger {
  return makePino(level, STANDARD_OUTPUT);
}

/** Makes the logger of the command line, whose output is on the standard output. */
export function makeCommandLogger(level: Settings['logLevel']): Logger {
  return makePino(level, STANDARD_ERROR);
}

function makePino(level: Settings['logLevel'], fd: number): Logger {
  const isTerminal = fd === STANDARD_OUTPUT ? process.stdout.isTTY : process.stderr.isTTY;
  const options = {
    level,
    base: { pid: process.pid },
    messageKey: 'message',
    timestamp: () => isoTime(),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (!isTerminal) return pino(options, outputOf(fd));
  const ignore = 'pid,context,method,route,status,durationMs,address,requestId,key';
  const messageFormat =
    '{if context}[{context}] {end}{message}{if durationMs} in {durationMs} ms{end}';
  return pino(options, pretty({ destination: fd, ignore, messageFormat, messageKey: 'message' }));
}

const outputs = new Map<number, LogOutput>();

/** One for all loggers, so that their lines do not mix. */
function outputOf(fd: number): LogOutput {
  const known = outputs.get(fd);
  if (known) return known;
  const output = new LogOutput(fd, console.error);
  outputs.set(fd, output);
  process.once('exit', () => output.flushSync());
  return output;
}

/** A time, in milliseconds since the epoch, as a member of a line. */
export function isoTime(time = Date.now()): string {
  return `,"time":"${new Date(time).toISOString()}"`;
}

/** Passes the messages of Nest, and of classes with a `Logger` of Nest, to pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...details: unknown[]): void {
    const level = FRAMEWORK_CONTEXTS.has(details.at(-1)) ? 'debug' : 'info';
    this.write(level, message, details);
  }

  error(message: unknown, ...details: unknown[]): void {
    const level = FRAMEWORK_CONTEXTS.has(details.at(-1)) ? 'debug' : 'error';
    this.write(level, message, details);
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.write('warn', message, details);
  }

  debug(message: unknown, ...details: unknown[]): void {
    this.write('debug', message, details);
  }

  verbose(message: unknown, ...details: unknown[]): void {
    this.write('trace', message, details);
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.write('fatal', message, details);
  }

  /** The last detail is the context; an error may have its stack before it. */
  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    details: unknown[],
  ): void {
    const [stack, context] = details.length > 1 ? details : [undefined, details[0]];
    this.logger[level]({ context, stack }, String(message));
  }
}
