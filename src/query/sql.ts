import { KINDS, quoteName } from './columns.js';
import type { Comparison, Condition } from './conditions.js';
import { operatorOf } from './operators.js';

/** Collects the values of a statement, which never become part of its text. */
export class Parameters {
  readonly values: unknown[] = [];

  /** `before` is how many the rest of the statement has already. */
  constructor(private readonly before = 0) {}

  /** The place of this value, such as `$1::bigint`. */
  place(value: unknown, cast: string): string {
    this.values.push(value);
    return `$${this.before + this.values.length}::${cast}`;
  }
}

/** The condition as SQL over columns of the names it has. */
export function writeCondition(condition: Condition, parameters: Parameters): string {
  const sql =
    condition.is === 'comparison'
      ? writeComparison(condition, parameters)
      : writeGroup(condition.is, condition.of, parameters);
  return condition.isNot ? `NOT (${sql})` : sql;
}

function writeGroup(is: 'all' | 'any', of: Condition[], parameters: Parameters): string {
  if (!of.length) return is === 'all' ? 'true' : 'false';
  const parts = of.map((condition) => writeCondition(condition, parameters));
  return `(${parts.join(is === 'all' ? ' AND ' : ' OR ')})`;
}

function writeComparison({ column, operator, value }: Comparison, parameters: Parameters): string {
  const { takes, sql } = operatorOf(operator);
  const { cast } = KINDS[column.kind];
  const name = quoteName(column.name);
  if (takes === 'null') return sql(name, '');
  if (takes === 'list') return sql(name, parameters.place(value, `${cast}[]`));
  const operand = takes === 'pattern' ? String(value).replaceAll('*', '%') : value;
  return sql(name, parameters.place(operand, cast));
}
