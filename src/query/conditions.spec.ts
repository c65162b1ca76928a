import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { conditions } from '../../test/support/conditions.js';
import type { QueryColumn } from './columns.js';
import { serializeMembers } from './conditions.js';
import { parseOrder, serializeOrder } from './order.js';
import { parseGroup } from './parse-conditions.js';
import { ParseError } from './errors.js';

const YEAR: QueryColumn = { name: 'inception_year', type: 'integer' };
const NAME: QueryColumn = { name: 'name', type: 'text' };
const COLUMNS = [YEAR, NAME];
const texts = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
const anyCondition = conditions([
  { column: YEAR, values: fc.integer() },
  { column: NAME, values: texts },
]);

describe('the condition grammar', () => {
  it('parses what it serializes', () => {
    fc.assert(
      fc.property(anyCondition, (group) => {
        const read = parseGroup(group.kind, serializeMembers(group), COLUMNS);
        expect({ ...read, negated: group.negated }).toEqual(group);
      }),
    );
  });

  it('reports the position of an error, for any text', () => {
    const pieces = fc.constantFrom(
      'and(',
      'or(',
      'not.',
      'name',
      '.eq.',
      '.in.',
      '(',
      ')',
      ',',
      '"',
      '\\',
      '1',
      'is',
      '.',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, texts)), (list) => {
        const text = list.join('');
        try {
          parseGroup('and', text, COLUMNS);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
          expect((error as ParseError).index).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('parses the order that it serializes', () => {
    const term = fc.record({ isDescending: fc.boolean(), isNullsFirst: fc.boolean() });
    fc.assert(
      fc.property(term, term, fc.boolean(), (first, second, isSwapped) => {
        const columns = isSwapped ? COLUMNS : COLUMNS.toReversed();
        const terms = [first, second].map((each, index) => ({ ...each, column: columns[index]! }));
        expect(parseOrder(serializeOrder(terms), COLUMNS)).toEqual(terms);
      }),
    );
  });
});
