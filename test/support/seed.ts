import { createHash } from 'node:crypto';

/** FAULTS_SEED repeats a run, as far as timing allows it. */
export const seed = process.env.FAULTS_SEED ?? String(Date.now());

let drawn = 0;

/** A random number from 0 to 1. */
export function random(): number {
  drawn += 1;
  return createHash('sha256').update(`${seed}/${drawn}`).digest().readUInt32BE() / 2 ** 32;
}

/** A random item. */
export function pick<T>(choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}
