import { parseArgs } from 'node:util';

/** How long it takes, and how much is measured: `npm run bench -- --rounds 9 --seconds 3`. */
export interface Options {
  /** How often everybody has a turn at each workload; medians are taken of that many. */
  rounds: number;
  /** How long a turn is. */
  seconds: number;
  /** How long everybody is used before they are measured, so that their code is compiled. */
  warmUpSeconds: number;
  /** The sections to run; all where none is named. */
  only: string[];
}

/** @throws {Error} where an option is not known, or not a number. */
export function readOptions(words: string[]): Options {
  const { values } = parseArgs({
    args: words,
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '6' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  return {
    rounds: readCount('rounds', values.rounds),
    seconds: readCount('seconds', values.seconds),
    warmUpSeconds: readCount('warm-up', values['warm-up']),
    only: values.only,
  };
}

function readCount(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number above 0, not ${text}.`);
}
