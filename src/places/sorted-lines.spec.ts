import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findLines } from './sorted-lines.js';

describe('sorted lines', () => {
  it('are found by their key, wherever they are', () => {
    const keys = fc.array(fc.string({ maxLength: 3 }).map((key) => key.replaceAll(/[\n\t]/g, '')));
    fc.assert(
      fc.property(keys, fc.string({ maxLength: 3 }), (all, other) => {
        const sorted = all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const lines = Buffer.from(sorted.map((key, index) => `${key}\t${index}\n`).join(''));
        for (const key of [...all, other.replaceAll(/[\n\t]/g, '')]) {
          const expected = sorted.flatMap((each, index) =>
            each === key ? `${each}\t${index}` : [],
          );
          expect(findLines(lines, key)).toEqual(expected);
        }
      }),
    );
  });
});
