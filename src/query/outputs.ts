import { quoteName, type Kind, type QueryColumn } from './columns.js';
import { readColumn } from './parse-conditions.js';
import { didYouMean } from '../did-you-mean.js';
import { Scanner } from './scanner.js';

interface Aggregate {
  onlyFor?: Kind[];
  kindOf: (column?: QueryColumn) => Kind;
  sql: (column: string) => string;
}

/** What can be made of many rows. */
const AGGREGATES: Record<string, Aggregate> = {
  count: { kindOf: () => 'integer', sql: (column) => `count(${column})` },
  sum: { onlyFor: ['integer'], kindOf: () => 'integer', sql: (column) => `sum(${column})` },
  avg: { onlyFor: ['integer'], kindOf: () => 'decimal', sql: (column) => `avg(${column})::float8` },
  min: { kindOf: (column) => column!.kind, sql: (column) => `min(${column})` },
  max: { kindOf: (column) => column!.kind, sql: (column) => `max(${column})` },
};

/** One member of an answer: a column, or an aggregate of one; `count()` alone counts rows. */
export interface Output {
  name: string;
  column?: QueryColumn;
  aggregate?: string;
}

const ALIAS = /(?:"([A-Za-z_][A-Za-z0-9_]*)"|([A-Za-z_][A-Za-z0-9_]*)):(?!:)/y;
const CALL = /\.?([A-Za-z_]+)\(\)/y;
const [MOST_OUTPUTS, LONGEST_NAME] = [50, 63];

/** Reads `select`, such as `city,n:count()`; `*` stands for all columns. */
export function parseSelect(text: string, columns: QueryColumn[]): Output[] {
  const scanner = new Scanner(text);
  const outputs: Output[] = [];
  do {
    const start = scanner.at;
    for (const output of readItem(scanner, columns)) add(output, outputs, scanner, start);
  } while (scanner.skip(','));
  if (!scanner.isAtEnd) scanner.fail('a comma was expected between what is selected');
  return outputs;
}

function add(output: Output, outputs: Output[], scanner: Scanner, start: number): void {
  const { name } = output;
  if (outputs.some((known) => known.name === name)) {
    scanner.fail(`"${name}" is selected twice: give one another name, as in other:${name}`, start);
  }
  if (name.length > LONGEST_NAME)
    scanner.fail(`a name has at most ${LONGEST_NAME} characters`, start);
  if (outputs.push(output) > MOST_OUTPUTS) scanner.fail(`more than ${MOST_OUTPUTS} are selected`);
}

function readItem(scanner: Scanner, columns: QueryColumn[]): Output[] {
  if (scanner.skip('*')) return columns.map(asOutput);
  const [, quoted, plain] = scanner.take(ALIAS) ?? [];
  const alias = quoted ?? plain;
  const output = readAggregate(scanner) ?? readColumnOutput(scanner, columns);
  return [{ ...output, name: alias ?? output.name }];
}

/** `count()`, which needs no column. */
function readAggregate(scanner: Scanner): Output | undefined {
  const start = scanner.at;
  const name = scanner.take(CALL)?.[1];
  if (name === undefined) return undefined;
  if (name !== 'count')
    scanner.fail(`${name}() needs a column, as in inception_year.${name}()`, start);
  return { name, aggregate: name };
}

function readColumnOutput(scanner: Scanner, columns: QueryColumn[]): Output {
  const column = readColumn(scanner, columns);
  const start = scanner.at;
  const aggregate = scanner.take(CALL)?.[1];
  if (aggregate === undefined) return asOutput(column);
  const names = Object.keys(AGGREGATES);
  if (!names.includes(aggregate)) {
    scanner.fail(`there is no ${aggregate}(): ${didYouMean(aggregate, names)}`, start);
  }
  if (AGGREGATES[aggregate]!.onlyFor?.includes(column.kind) === false) {
    scanner.fail(`${aggregate}() is for numbers, and ${column.name} is ${column.kind}`, start);
  }
  return { name: aggregate, column, aggregate };
}

export function asOutput(column: QueryColumn): Output {
  return { name: column.name, column };
}

/** What kind of values this member has. */
export function columnOf({ name, column, aggregate }: Output): QueryColumn {
  return { name, kind: aggregate ? AGGREGATES[aggregate]!.kindOf(column) : column!.kind };
}

/** As SQL, under its name. */
export function writeOutput({ name, column, aggregate }: Output): string {
  const source = column ? quoteName(column.name) : '*';
  const sql = aggregate ? AGGREGATES[aggregate]!.sql(source) : source;
  return `${sql} AS ${quoteName(name)}`;
}
