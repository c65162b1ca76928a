import { ConsoleLogger } from '@nestjs/common';
import { LOG_LEVELS } from '../config/settings.js';

const NEST_LEVELS = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;

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

/** Logs one line per event: colored in a terminal, JSON elsewhere. */
class ServiceLogger extends ConsoleLogger {
  override log(message: unknown, ...details: unknown[]): void {
    if (FRAMEWORK_CONTEXTS.has(details.at(-1))) super.debug(message, ...details);
    else super.log(message, ...details);
  }

  override error(message: unknown, ...details: unknown[]): void {
    if (FRAMEWORK_CONTEXTS.has(details.at(-1))) super.debug(message, ...details);
    else super.error(message, ...details);
  }
}

/** Makes the logger for messages of this level and above. */
export function makeLogger(level: (typeof LOG_LEVELS)[number]) {
  return new ServiceLogger({
    logLevels: NEST_LEVELS.slice(LOG_LEVELS.indexOf(level)),
    json: !process.stdout.isTTY,
  });
}
