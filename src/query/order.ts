import { KINDS, quoteName, type QueryColumn, type Value } from './columns.js';
import { readColumn } from './parse-conditions.js';
import type { Parameters } from './sql.js';
import { Scanner } from './scanner.js';

/** One of the columns that rows are sorted by. */
export interface OrderTerm {
  column: QueryColumn;
  isDescending: boolean;
  isNullsFirst: boolean;
}

const DIRECTION = /\.(asc|desc)(?![A-Za-z_])/y;
const NULLS = /\.nulls(first|last)(?![A-Za-z_])/y;

/** Reads `order`, such as `inception_year.desc.nullslast,name`. */
export function parseOrder(text: string, columns: QueryColumn[]): OrderTerm[] {
  const scanner = new Scanner(text);
  const terms: OrderTerm[] = [];
  do {
    const start = scanner.at;
    const column = readColumn(scanner, columns);
    const isDescending = scanner.take(DIRECTION)?.[1] === 'desc';
    const nulls = scanner.take(NULLS)?.[1];
    if (terms.some((term) => term.column === column)) {
      scanner.fail(`${column.name} was named before`, start);
    }
    terms.push({ column, isDescending, isNullsFirst: nulls ? nulls === 'first' : isDescending });
  } while (scanner.skip(','));
  if (!scanner.isAtEnd) scanner.fail('asc, desc, nullsfirst, nullslast or a comma was expected');
  return terms;
}

/** Ascending, as PostgreSQL sorts without further words. */
export function ascending(column: QueryColumn): OrderTerm {
  return { column, isDescending: false, isNullsFirst: false };
}

/** The same from its end. */
export function reverse(terms: OrderTerm[]): OrderTerm[] {
  return terms.map(({ column, isDescending, isNullsFirst }) => ({
    column,
    isDescending: !isDescending,
    isNullsFirst: !isNullsFirst,
  }));
}

/** As SQL over a relation called `listed`, whose columns an output of the same name must not hide. */
export function writeOrder(terms: OrderTerm[]): string {
  return terms.map(writeTerm).join(', ');
}

/** As short as it can be: PostgreSQL finds an index by it. */
function writeTerm({ column, isDescending, isNullsFirst }: OrderTerm): string {
  const direction = isDescending ? ' DESC' : '';
  const nulls = isNullsFirst === isDescending ? '' : ` NULLS ${isNullsFirst ? 'FIRST' : 'LAST'}`;
  return `listed.${quoteName(column.name)}${direction}${nulls}`;
}

/** How `order` may be written in a question: reading it again gives the same terms. */
export function printOrder(terms: OrderTerm[]): string {
  const print = ({ column, isDescending, isNullsFirst }: OrderTerm) =>
    `${column.name}.${isDescending ? 'desc' : 'asc'}.nulls${isNullsFirst ? 'first' : 'last'}`;
  return terms.map(print).join(',');
}

/** SQL for the rows that come after the one with these values, in an order that no two rows share. */
export function writeAfter(
  terms: OrderTerm[],
  values: (Value | null)[],
  parameters: Parameters,
): string {
  const [term, ...others] = terms;
  const [value, ...further] = values;
  if (!term) return 'false';
  const name = quoteName(term.column.name);
  const place = value === null ? '' : parameters.place(value, KINDS[term.column.kind].cast);
  const isBeyond = writeBeyond(term, name, place);
  if (!others.length) return isBeyond;
  const isSame = place ? `${name} = ${place}` : `${name} IS NULL`;
  return `(${isBeyond} OR (${isSame} AND ${writeAfter(others, further, parameters)}))`;
}

/** `place` is empty where the value is null. */
function writeBeyond(
  { column, isDescending, isNullsFirst }: OrderTerm,
  name: string,
  place: string,
) {
  if (!place) return isNullsFirst ? `${name} IS NOT NULL` : 'false';
  const isBeyond = `${name} ${isDescending ? '<' : '>'} ${place}`;
  return isNullsFirst || column.isNeverNull ? isBeyond : `(${isBeyond} OR ${name} IS NULL)`;
}
