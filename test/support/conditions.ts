import fc from 'fast-check';
import type { QueryColumn, Value } from '../../src/query/columns.js';
import type { Comparison, Condition, Group } from '../../src/query/conditions.js';
import type { OperatorName } from '../../src/query/operators.js';

type Row = Record<string, Value | null>;

/** Random conditions over columns, with random values for each. */
export function conditions(
  columns: { column: QueryColumn; values: fc.Arbitrary<Value> }[],
): fc.Arbitrary<Group> {
  const { group } = fc.letrec<{ group: Group; condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      comparisons(columns),
      tie('group'),
    ),
    group: fc.record({
      kind: fc.constantFrom('and', 'or'),
      negated: fc.boolean(),
      conditions: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
    }),
  }));
  return group;
}

function comparisons(
  columns: { column: QueryColumn; values: fc.Arbitrary<Value> }[],
): fc.Arbitrary<Comparison> {
  return fc.oneof(
    ...columns.map(({ column, values }) => {
      const common = {
        kind: fc.constant('comparison' as const),
        negated: fc.boolean(),
        column: fc.constant(column),
      };
      return fc.oneof(
        fc.record({
          ...common,
          operator: fc.constantFrom<OperatorName[]>(
            'eq',
            'neq',
            'gt',
            'gte',
            'lt',
            'lte',
            'isdistinct',
          ),
          value: values,
        }),
        fc.record({
          ...common,
          operator: fc.constantFrom<OperatorName[]>('in'),
          value: fc.array(values, { maxLength: 3 }),
        }),
        fc.record({
          ...common,
          operator: fc.constantFrom<OperatorName[]>('is'),
          value: fc.constant(null),
        }),
        ...(column.type === 'text'
          ? [
              fc.record({
                ...common,
                operator: fc.constantFrom<OperatorName[]>('like', 'ilike'),
                value: patterns(values),
              }),
            ]
          : []),
      );
    }),
  );
}

/** Texts with wildcards, and without backslashes, which would have to be doubled. */
function patterns(values: fc.Arbitrary<Value>): fc.Arbitrary<string> {
  const pieces = fc.oneof(
    fc.constantFrom('*', '_', '%'),
    values.map((value) => String(value).slice(0, 2)),
  );
  return fc.array(pieces, { maxLength: 4 }).map((list) => list.join('').replaceAll('\\', ''));
}

/** Evaluates a condition for a row as SQL does: null is unknown. */
export function holds(condition: Condition, row: Row): boolean | null {
  const result =
    condition.kind === 'comparison' ? compare(condition, row) : combine(condition, row);
  return result === null || !condition.negated ? result : !result;
}

function combine(group: Group, row: Row): boolean | null {
  const results = new Set(group.conditions.map((condition) => holds(condition, row)));
  const decisive = group.kind === 'or';
  if (results.has(decisive)) return decisive;
  return results.has(null) ? null : !decisive;
}

function compare({ operator, column, value }: Comparison, row: Row): boolean | null {
  const given = row[column.name] ?? null;
  if (operator === 'is') return given === null;
  if (operator === 'isdistinct') return given !== value;
  if (operator === 'in' && Array.isArray(value) && !value.length) return false;
  if (given === null) return null;
  switch (operator) {
    case 'eq':
      return given === value;
    case 'neq':
      return given !== value;
    case 'gt':
      return given > (value as Value);
    case 'gte':
      return given >= (value as Value);
    case 'lt':
      return given < (value as Value);
    case 'lte':
      return given <= (value as Value);
    case 'in':
      return (value as Value[]).includes(given);
    default:
      return matches(String(given), String(value), operator === 'ilike');
  }
}

function matches(text: string, pattern: string, isAnyCase: boolean): boolean {
  const source = Array.from(pattern, (letter) => {
    if (letter === '*' || letter === '%') return '[^]*';
    return letter === '_' ? '[^]' : letter.replaceAll(/[\\^$.|?+()[\]{}/-]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, isAnyCase ? 'iu' : 'u').test(text);
}
