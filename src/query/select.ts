import { quoteName, type ColumnType, type QueryColumn } from './columns.js';
import { readColumn } from './parse-conditions.js';
import { Scanner } from './scanner.js';
import { suggest } from './suggest.js';

interface Aggregate {
  onlyFor?: ColumnType[];
  typeOf: (column?: QueryColumn) => ColumnType;
  toSql: (column: string) => string;
}

const AGGREGATES: Record<string, Aggregate> = {
  count: { typeOf: () => 'integer', toSql: (column) => `count(${column})` },
  sum: {
    onlyFor: ['integer', 'decimal'],
    typeOf: (column) => column!.type,
    toSql: (column) => `sum(${column})`,
  },
  avg: {
    onlyFor: ['integer', 'decimal'],
    typeOf: () => 'decimal',
    toSql: (column) => `avg(${column})::float8`,
  },
  min: { typeOf: (column) => column!.type, toSql: (column) => `min(${column})` },
  max: { typeOf: (column) => column!.type, toSql: (column) => `max(${column})` },
};

/** The types that a column can be cast to, with the type of the result. */
const CASTS: Record<string, ColumnType> = {
  text: 'text',
  integer: 'integer',
  numeric: 'decimal',
  json: 'text',
};

/** A member of the answer: a column, an aggregate of a column, or `count()` of rows. */
export interface SelectItem {
  /** The name of the member. */
  name: string;
  column?: QueryColumn;
  /** The SQL type that the column is cast to, before it is aggregated. */
  columnCast?: string;
  aggregate?: string;
  /** The SQL type that the aggregate is cast to. */
  aggregateCast?: string;
}

const ALIAS = /(?:"([A-Za-z_][A-Za-z0-9_]*)"|([A-Za-z_][A-Za-z0-9_]*)):(?!:)/y;
const CAST = /::([A-Za-z0-9_ ]*)/y;
const CALL = /\.?([A-Za-z_]+)\(\)/y;
const [MAX_ITEMS, MAX_NAME_LENGTH] = [50, 63];

/** Parses `select=`, for example `name,n:count()`. `*` selects all columns besides the hidden ones. */
export function parseSelect(
  text: string,
  columns: QueryColumn[],
  hidden: QueryColumn[] = [],
): SelectItem[] {
  const scanner = new Scanner(text);
  const items: SelectItem[] = [];
  do {
    const start = scanner.index;
    for (const item of readItems(scanner, columns, hidden)) addItem(item, items, scanner, start);
  } while (scanner.skip(','));
  if (!scanner.isAtEnd) scanner.fail('a comma was expected between selected columns');
  if (items.some(({ aggregate }) => aggregate) && items.some(isJson)) {
    scanner.fail('::json cannot be combined with aggregates', 0);
  }
  return items;
}

function isJson({ columnCast, aggregateCast }: SelectItem): boolean {
  return columnCast === 'json' || aggregateCast === 'json';
}

function addItem(item: SelectItem, items: SelectItem[], scanner: Scanner, start: number): void {
  const { name } = item;
  if (items.some((other) => other.name === name)) {
    scanner.fail(`"${name}" is selected twice: rename one, as in other:${name}`, start);
  }
  if (name.length > MAX_NAME_LENGTH)
    scanner.fail(`a name has at most ${MAX_NAME_LENGTH} characters`, start);
  if (items.push(item) > MAX_ITEMS) scanner.fail(`more than ${MAX_ITEMS} columns are selected`);
}

function readItems(scanner: Scanner, columns: QueryColumn[], hidden: QueryColumn[]): SelectItem[] {
  if (scanner.skip('*')) return columns.map(toSelectItem);
  const [, quoted, plain] = scanner.take(ALIAS) ?? [];
  const alias = quoted ?? plain;
  const all = [...columns, ...hidden];
  const item = readRowCount(scanner, all) ?? readColumnItem(scanner, all);
  return [{ ...item, name: alias ?? item.name }];
}

/** Reads `count()`, the only aggregate without a column. */
function readRowCount(scanner: Scanner, columns: QueryColumn[]): SelectItem | undefined {
  const start = scanner.index;
  const name = scanner.take(CALL)?.[1];
  if (name === undefined) return undefined;
  if (name !== 'count') {
    const example = `${columns[0]!.name}.${name}()`;
    scanner.fail(`${name}() needs a column, as in ${example}`, start);
  }
  return { name, aggregate: name, aggregateCast: readCast(scanner) };
}

/** Reads a type such as `::text`. Returns undefined if there is none. */
function readCast(scanner: Scanner): string | undefined {
  const start = scanner.index;
  const type = scanner.take(CAST)?.[1];
  if (type === undefined || Object.hasOwn(CASTS, type)) return type;
  return scanner.fail(`there is no cast to "${type}": ${suggest(type, Object.keys(CASTS))}`, start);
}

function readColumnItem(scanner: Scanner, columns: QueryColumn[]): SelectItem {
  const column = readColumn(scanner, columns);
  const columnCast = readCast(scanner);
  const item = { ...toSelectItem(column), columnCast };
  const start = scanner.index;
  const aggregate = scanner.take(CALL)?.[1];
  if (aggregate === undefined) return item;
  const names = Object.keys(AGGREGATES);
  if (!names.includes(aggregate)) {
    scanner.fail(`there is no ${aggregate}(): ${suggest(aggregate, names)}`, start);
  }
  const { type } = columnOf(item);
  if (AGGREGATES[aggregate]!.onlyFor?.includes(type) === false) {
    scanner.fail(`${aggregate}() is for numbers, and ${column.name} is ${type}`, start);
  }
  return { ...item, name: aggregate, aggregate, aggregateCast: readCast(scanner) };
}

/** The column of an item after its cast. */
function columnOf({ column, columnCast }: SelectItem): QueryColumn {
  return columnCast === undefined ? column! : { name: column!.name, type: CASTS[columnCast]! };
}

export function toSelectItem(column: QueryColumn): SelectItem {
  return { name: column.name, column };
}

/** The column of the answer that an item makes. */
export function outputColumnOf(item: SelectItem): QueryColumn {
  const { name, column, aggregate, aggregateCast } = item;
  if (aggregate === undefined) return { name, type: columnOf(item).type };
  if (aggregateCast !== undefined) return { name, type: CASTS[aggregateCast]! };
  return { name, type: AGGREGATES[aggregate]!.typeOf(column && columnOf(item)) };
}

/** SQL for an item, with its name. */
export function selectItemSql(item: SelectItem): string {
  const { name, column, columnCast, aggregate, aggregateCast } = item;
  const source = column ? castSql(quoteName(column.name), columnCast) : '*';
  const sql = aggregate ? castSql(AGGREGATES[aggregate]!.toSql(source), aggregateCast) : source;
  return `${sql} AS ${quoteName(name)}`;
}

function castSql(sql: string, type: string | undefined): string {
  if (type === undefined) return sql;
  if (type === 'integer') return `CAST(${sql} AS bigint)`;
  // numbers have no cast to json of their own
  return type === 'json' ? `CAST(CAST(${sql} AS text) AS json)` : `CAST(${sql} AS ${type})`;
}
