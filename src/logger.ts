import { ConsoleLogger } from '@nestjs/common';
import { environment, LOG_LEVELS } from './environment.js';

const NEST_LEVELS = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;

/** They tell how Nest was assembled, and repeat a failed start that `main` puts in words. */
const FRAMEWORK = new Set<unknown>([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'TypeOrmModule',
  'ExceptionHandler',
]);

/** One line an event: coloured on a terminal, JSON where a program reads it. */
class ServiceLogger extends ConsoleLogger {
  override log(message: unknown, ...details: unknown[]): void {
    if (FRAMEWORK.has(details.at(-1))) super.debug(message, ...details);
    else super.log(message, ...details);
  }

  override error(message: unknown, ...details: unknown[]): void {
    if (FRAMEWORK.has(details.at(-1))) super.debug(message, ...details);
    else super.error(message, ...details);
  }
}

/** The logger for everything that is at least this grave. */
export function makeLogger(level: (typeof LOG_LEVELS)[number] = environment.logLevel) {
  return new ServiceLogger({
    logLevels: NEST_LEVELS.slice(LOG_LEVELS.indexOf(level)),
    json: !process.stdout.isTTY,
  });
}
