import { parseArgs } from 'node:util';

/** The length and the extent of a run: `npm run bench -- --rounds 9 --seconds 3`. */
export interface Options {
  /** The number of turns of each server in each workload; results are their medians. */
  rounds: number;
  /** The length of a turn. */
  seconds: number;
  /** How long each server is used before it is measured, so that its code is compiled. */
  warmUpSeconds: number;
  /** The sections to run; all of them if it is empty. */
  only: string[];
  /** The folder of a clone in which an earlier version is built. */
  earlier?: string;
}

/** @throws {Error} if an option is unknown, or not a number. */
export function readOptions(words: string[]): Options {
  const { values } = parseArgs({
    args: words,
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '6' },
      only: { type: 'string', multiple: true, default: [] },
      earlier: { type: 'string' },
    },
  });
  return {
    rounds: readCount('rounds', values.rounds),
    seconds: readCount('seconds', values.seconds),
    warmUpSeconds: readCount('warm-up', values['warm-up']),
    only: values.only,
    earlier: values.earlier,
  };
}

function readCount(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number above 0, not ${text}.`);
}
