import { COLUMN_TYPES, quoteName } from './columns.js';
import type { Comparison, Condition, Group } from './conditions.js';
import { operatorOf } from './operators.js';

/** The parameters of a statement. Values never become part of its text. */
export class Parameters {
  readonly values: unknown[] = [];

  /** `offset` is the number of parameters that the rest of the statement has before these. */
  constructor(private readonly offset = 0) {}

  /** Adds a value and returns its placeholder, such as `$1::bigint`. */
  add(value: unknown, cast: string): string {
    this.values.push(value);
    return `$${this.offset + this.values.length}::${cast}`;
  }
}

/** SQL for a condition. */
export function conditionSql(condition: Condition, parameters: Parameters): string {
  const sql =
    condition.kind === 'comparison'
      ? comparisonSql(condition, parameters)
      : groupSql(condition, parameters);
  return condition.negated ? `NOT (${sql})` : sql;
}

function groupSql({ kind, conditions }: Group, parameters: Parameters): string {
  if (!conditions.length) return kind === 'and' ? 'true' : 'false';
  const parts = conditions.map((condition) => conditionSql(condition, parameters));
  return `(${parts.join(kind === 'and' ? ' AND ' : ' OR ')})`;
}

function comparisonSql(comparison: Comparison, parameters: Parameters): string {
  const { column, operator, quantifier, language, value } = comparison;
  const { takes, toSql } = operatorOf(operator);
  const { cast } = COLUMN_TYPES[column.type];
  const name = quoteName(column.name);
  if (takes === 'null') return toSql(name, '');
  if (takes === 'list') return toSql(name, parameters.add(value, `${cast}[]`));
  const operand = takes === 'pattern' ? toLikePattern(value) : value;
  if (quantifier) {
    return toSql(name, `${quantifier} (${parameters.add(operand, `${cast}[]`)})`);
  }
  const placeholder = parameters.add(operand, cast);
  if (language === undefined) return toSql(name, placeholder);
  const configuration = parameters.add(language, 'regconfig');
  return toSql(`${configuration}, ${name}`, `${configuration}, ${placeholder}`);
}

/** Patterns have `*` for any characters, because `%` must be encoded in addresses. */
function toLikePattern(value: Comparison['value']): Comparison['value'] {
  if (Array.isArray(value)) return value.map((element) => toLikePattern(element) as string | null);
  return value === null ? null : String(value).replaceAll('*', '%');
}
