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
  sum: { onlyFor: ['integer'], typeOf: () => 'integer', toSql: (column) => `sum(${column})` },
  avg: {
    onlyFor: ['integer'],
    typeOf: () => 'decimal',
    toSql: (column) => `avg(${column})::float8`,
  },
  min: { typeOf: (column) => column!.type, toSql: (column) => `min(${column})` },
  max: { typeOf: (column) => column!.type, toSql: (column) => `max(${column})` },
};

/** A member of the answer: a column, an aggregate of a column, or `count()` of rows. */
export interface SelectItem {
  /** The name of the member. */
  name: string;
  column?: QueryColumn;
  aggregate?: string;
}

const ALIAS = /(?:"([A-Za-z_][A-Za-z0-9_]*)"|([A-Za-z_][A-Za-z0-9_]*)):(?!:)/y;
const CALL = /\.?([A-Za-z_]+)\(\)/y;
const [MAX_ITEMS, MAX_NAME_LENGTH] = [50, 63];

/** Parses `select=`, for example `name,n:count()`. `*` selects all columns. */
export function parseSelect(text: string, columns: QueryColumn[]): SelectItem[] {
  const scanner = new Scanner(text);
  const items: SelectItem[] = [];
  do {
    const start = scanner.index;
    for (const item of readItems(scanner, columns)) addItem(item, items, scanner, start);
  } while (scanner.skip(','));
  if (!scanner.isAtEnd) scanner.fail('a comma was expected between selected columns');
  return items;
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

function readItems(scanner: Scanner, columns: QueryColumn[]): SelectItem[] {
  if (scanner.skip('*')) return columns.map(toSelectItem);
  const [, quoted, plain] = scanner.take(ALIAS) ?? [];
  const alias = quoted ?? plain;
  const item = readRowCount(scanner, columns) ?? readColumnItem(scanner, columns);
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
  return { name, aggregate: name };
}

function readColumnItem(scanner: Scanner, columns: QueryColumn[]): SelectItem {
  const column = readColumn(scanner, columns);
  const start = scanner.index;
  const aggregate = scanner.take(CALL)?.[1];
  if (aggregate === undefined) return toSelectItem(column);
  const names = Object.keys(AGGREGATES);
  if (!names.includes(aggregate)) {
    scanner.fail(`there is no ${aggregate}(): ${suggest(aggregate, names)}`, start);
  }
  if (AGGREGATES[aggregate]!.onlyFor?.includes(column.type) === false) {
    scanner.fail(`${aggregate}() is for numbers, and ${column.name} is ${column.type}`, start);
  }
  return { name: aggregate, column, aggregate };
}

export function toSelectItem(column: QueryColumn): SelectItem {
  return { name: column.name, column };
}

/** The column of the answer that an item makes. */
export function outputColumnOf({ name, column, aggregate }: SelectItem): QueryColumn {
  return { name, type: aggregate ? AGGREGATES[aggregate]!.typeOf(column) : column!.type };
}

/** SQL for an item, with its name. */
export function selectItemSql({ name, column, aggregate }: SelectItem): string {
  const source = column ? quoteName(column.name) : '*';
  const sql = aggregate ? AGGREGATES[aggregate]!.toSql(source) : source;
  return `${sql} AS ${quoteName(name)}`;
}
