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

type TestedColumn = { column: QueryColumn; values: fc.Arbitrary<Value> };

/** PostgreSQL and JavaScript agree on these. */
const REGEXES = ['^a', 'B$', 'a.c', '[ab]', 'a|^b', '^ab?$', 'c+', ''];
const SEARCHED = ['a', 'ab', 'c', 'ba'];

function comparisons(columns: TestedColumn[]): fc.Arbitrary<Comparison> {
  return fc.oneof(...columns.map((tested) => fc.oneof(...comparisonsOf(tested))));
}

function comparisonsOf({ column, values }: TestedColumn): fc.Arbitrary<Comparison>[] {
  const build = (
    operators: OperatorName[],
    value: fc.Arbitrary<Comparison['value']>,
    others: object = {},
  ) =>
    fc.record({
      kind: fc.constant('comparison' as const),
      negated: fc.boolean(),
      column: fc.constant(column),
      operator: fc.constantFrom(...operators),
      value,
      ...others,
    });
  const quantified = (operators: OperatorName[], value: fc.Arbitrary<Value>) => [
    build(operators, value),
    build(operators, fc.array(fc.option(value, { freq: 4 }), { maxLength: 3 }), {
      quantifier: fc.constantFrom('any', 'all'),
    }),
  ];
  return [
    ...quantified(['eq', 'gt', 'gte', 'lt', 'lte'], values),
    build(['neq', 'isdistinct'], values),
    build(['in'], fc.array(values, { maxLength: 3 })),
    build(['is'], fc.constant(null)),
    ...(column.type === 'text'
      ? [
          ...quantified(['like', 'ilike'], patterns(values)),
          ...quantified(['match', 'imatch'], fc.constantFrom(...REGEXES)),
          build(['fts', 'plfts', 'phfts', 'wfts'], fc.constantFrom(...SEARCHED), {
            language: fc.constant('simple'),
          }),
        ]
      : []),
  ];
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

function compare({ operator, column, quantifier, value }: Comparison, row: Row): boolean | null {
  const given = row[column.name] ?? null;
  if (operator === 'is') return given === null;
  if (operator === 'isdistinct') return given !== value;
  if (!Array.isArray(value)) return compareOne(operator, given, value);
  const isAny = quantifier !== 'all';
  const results = new Set(value.map((element) => compareOne(operator, given, element)));
  if (results.has(isAny)) return isAny;
  return results.has(null) ? null : !isAny;
}

/** Null is unknown. */
function compareOne(
  operator: OperatorName,
  given: Value | null,
  value: Value | null,
): boolean | null {
  if (given === null || value === null) return null;
  switch (operator) {
    case 'eq':
    case 'in':
      return given === value;
    case 'neq':
      return given !== value;
    case 'gt':
      return given > value;
    case 'gte':
      return given >= value;
    case 'lt':
      return given < value;
    case 'lte':
      return given <= value;
    case 'match':
    case 'imatch':
      return new RegExp(String(value), operator === 'imatch' ? 'iu' : 'u').test(String(given));
    case 'like':
    case 'ilike':
      return matches(String(given), String(value), operator === 'ilike');
    default:
      return String(given).toLowerCase().split(/\W+/).includes(String(value));
  }
}

function matches(text: string, pattern: string, isAnyCase: boolean): boolean {
  const source = Array.from(pattern, (letter) => {
    if (letter === '*' || letter === '%') return '[^]*';
    return letter === '_' ? '[^]' : letter.replaceAll(/[\\^$.|?+()[\]{}/-]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, isAnyCase ? 'iu' : 'u').test(text);
}
