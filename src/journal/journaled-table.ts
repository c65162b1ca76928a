import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';

/** A record that the journal remembers. */
export interface Journaled {
  id: number;
  version: number;
}

/** What the journal knows of a table that it keeps: its name and its columns, as SQL. */
export class JournaledTable {
  readonly name: string;
  /** All but `id` and `version`, which the journal itself looks after. */
  readonly columns: string[];
  private readonly types: Record<string, string>;

  constructor(dataSource: DataSource, entity: EntityTarget<ObjectLiteral>) {
    const { tableName, columns } = dataSource.getMetadata(entity);
    const own = columns.filter(({ databaseName }) => !['id', 'version'].includes(databaseName));
    this.name = quote(tableName);
    this.columns = own.map(({ databaseName }) => databaseName);
    this.types = Object.fromEntries(
      own.map((column) => [column.databaseName, dataSource.driver.normalizeType(column)]),
    );
  }

  /** `"name", "city"` */
  get list(): string {
    return this.columns.map(quote).join(', ');
  }

  /** The columns of one row of `source` as a JSON object. */
  recordOf(source: string): string {
    const members = this.columns.map((column) => `'${column}', ${source}.${quote(column)}`);
    return `json_build_object(${members.join(', ')})`;
  }

  /** Places for the values of some columns, counted from `$first`, each of its column's type. */
  places(columns: string[], first: number): string[] {
    return columns.map((column, index) => `$${first + index}::${this.types[column]}`);
  }
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
