import { COLUMN_TYPES, quoteName, type QueryColumn, type Value } from './columns.js';
import { readColumn } from './parse-conditions.js';
import { Scanner } from './scanner.js';
import type { Parameters } from './sql.js';

/** A column that rows are sorted by. */
export interface OrderTerm {
  column: QueryColumn;
  isDescending: boolean;
  isNullsFirst: boolean;
}

const DIRECTION = /\.(asc|desc)(?![A-Za-z_])/y;
const NULLS = /\.nulls(first|last)(?![A-Za-z_])/y;

/** Parses `order=`, for example `name.desc.nullslast,id`. */
export function parseOrder(text: string, columns: QueryColumn[]): OrderTerm[] {
  const scanner = new Scanner(text);
  const terms: OrderTerm[] = [];
  do {
    const start = scanner.index;
    const term = readTerm(scanner, columns);
    const { column } = term;
    if (terms.some((other) => other.column === column)) {
      scanner.fail(`${column.name} is named twice`, start);
    }
    terms.push(term);
  } while (scanner.skip(','));
  if (!scanner.isAtEnd) scanner.fail('asc, desc, nullsfirst, nullslast or a comma was expected');
  return terms;
}

function readTerm(scanner: Scanner, columns: QueryColumn[]): OrderTerm {
  const column = readColumn(scanner, columns);
  const isDescending = scanner.take(DIRECTION)?.[1] === 'desc';
  const nulls = scanner.take(NULLS)?.[1];
  // as PostgreSQL sorts by default
  return { column, isDescending, isNullsFirst: nulls ? nulls === 'first' : isDescending };
}

export function ascending(column: QueryColumn): OrderTerm {
  return { column, isDescending: false, isNullsFirst: false };
}

/** The opposite order. */
export function reverse(terms: OrderTerm[]): OrderTerm[] {
  return terms.map(({ column, isDescending, isNullsFirst }) => ({
    column,
    isDescending: !isDescending,
    isNullsFirst: !isNullsFirst,
  }));
}

/** SQL over a relation named `listed`. The name is needed where a selected column has the same name. */
export function orderSql(terms: OrderTerm[]): string {
  return terms.map(termSql).join(', ');
}

/** Defaults are left out: PostgreSQL matches an index by the exact order. */
function termSql({ column, isDescending, isNullsFirst }: OrderTerm): string {
  const direction = isDescending ? ' DESC' : '';
  const nulls = isNullsFirst === isDescending ? '' : ` NULLS ${isNullsFirst ? 'FIRST' : 'LAST'}`;
  return `listed.${quoteName(column.name)}${direction}${nulls}`;
}

/** Writes an order as a parameter. Parsing the text gives the same terms. */
export function serializeOrder(terms: OrderTerm[]): string {
  const serialize = ({ column, isDescending, isNullsFirst }: OrderTerm) =>
    `${column.name}.${isDescending ? 'desc' : 'asc'}.nulls${isNullsFirst ? 'first' : 'last'}`;
  return terms.map(serialize).join(',');
}

/** SQL for the rows that come after the row with these values in a total order. */
export function afterSql(
  terms: OrderTerm[],
  values: (Value | null)[],
  parameters: Parameters,
): string {
  const [term, ...otherTerms] = terms;
  const [value, ...otherValues] = values;
  if (!term) return 'false';
  const name = quoteName(term.column.name);
  const placeholder =
    value === null ? '' : parameters.add(value, COLUMN_TYPES[term.column.type].cast);
  const isAfter = termAfterSql(term, name, placeholder);
  if (!otherTerms.length) return isAfter;
  const isEqual = placeholder ? `${name} = ${placeholder}` : `${name} IS NULL`;
  return `(${isAfter} OR (${isEqual} AND ${afterSql(otherTerms, otherValues, parameters)}))`;
}

/** `placeholder` is empty if the value is null. */
function termAfterSql(
  { column, isDescending, isNullsFirst }: OrderTerm,
  name: string,
  placeholder: string,
): string {
  if (!placeholder) return isNullsFirst ? `${name} IS NOT NULL` : 'false';
  const isAfter = `${name} ${isDescending ? '<' : '>'} ${placeholder}`;
  return isNullsFirst || column.isNeverNull ? isAfter : `(${isAfter} OR ${name} IS NULL)`;
}
