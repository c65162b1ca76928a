import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';

/** A record that the journal remembers. */
export interface Journaled {
  id: number;
  version: number;
}

/** What the journal knows of a table that it keeps: its name and its columns, as SQL. */
export class JournaledTable {
  private columnTypes?: Map<string, string>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly entity: EntityTarget<ObjectLiteral>,
  ) {}

  get name(): string {
    return quote(this.dataSource.getMetadata(this.entity).tableName);
  }

  /** All but `id` and `version`, which the journal itself looks after. */
  get columns(): string[] {
    return [...this.types.keys()];
  }

  /** `"name", "city"` */
  get list(): string {
    return this.listOf();
  }

  /** The same of one `source`: `record."name", record."city"` */
  listOf(source?: string): string {
    const prefix = source ? `${source}.` : '';
    return this.columns.map((column) => prefix + quote(column)).join(', ');
  }

  /** The columns with their types: `"name" character varying, "city" character varying` */
  get definitions(): string {
    return [...this.types].map(([column, type]) => `${quote(column)} ${type}`).join(', ');
  }

  /** The columns of one row of `source` as a JSON object. */
  recordOf(source: string): string {
    const members = this.columns.map((column) => `'${column}', ${source}.${quote(column)}`);
    return `json_build_object(${members.join(', ')})`;
  }

  /** Places for the values of some columns, counted from `$first`, each of its column's type. */
  places(columns: string[], first: number): string[] {
    return columns.map((column, index) => `$${first + index}::${this.types.get(column)}`);
  }

  /** They are known once the database is open. */
  private get types(): Map<string, string> {
    this.columnTypes ??= this.readTypes();
    return this.columnTypes;
  }

  private readTypes(): Map<string, string> {
    const { columns } = this.dataSource.getMetadata(this.entity);
    const own = columns.filter(({ databaseName }) => !['id', 'version'].includes(databaseName));
    return new Map(
      own.map((column) => [column.databaseName, this.dataSource.driver.normalizeType(column)]),
    );
  }
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
