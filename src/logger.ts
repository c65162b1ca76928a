import { ConsoleLogger } from '@nestjs/common';
import { environment, LOG_LEVELS } from './environment.js';

const NEST_LEVELS = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;

/** One line an event: coloured on a terminal, JSON where a program reads it. */
export function makeLogger(level: (typeof LOG_LEVELS)[number] = environment.logLevel) {
  return new ConsoleLogger({
    logLevels: NEST_LEVELS.slice(LOG_LEVELS.indexOf(level)),
    json: !process.stdout.isTTY,
  });
}
