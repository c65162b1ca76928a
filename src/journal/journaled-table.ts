import pg from 'pg';
import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';
import { isDistributed } from '../database/distribution.js';
import { epochSql, type EpochSql } from './epoch.js';

/** A record whose changes are journaled. */
export interface Journaled {
  id: number;
  version: number;
}

/** The name and the columns of a journaled table, as SQL. They are known when the database is ready. */
export class JournaledTable {
  private columnTypes?: Map<string, string>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly entity: EntityTarget<ObjectLiteral>,
  ) {}

  /** What a write adds to the update of the head row. */
  get epoch(): EpochSql {
    return epochSql(this.dataSource);
  }

  /** Whether its records are on several servers. */
  get isDistributed(): boolean {
    return isDistributed(this.dataSource, this.dataSource.getMetadata(this.entity).tableName);
  }

  get name(): string {
    return pg.escapeIdentifier(this.dataSource.getMetadata(this.entity).tableName);
  }

  /** All columns but `id` and `version`, which the journal assigns. */
  get columns(): string[] {
    return [...this.types.keys()];
  }

  /** `"name", "city"` */
  get list(): string {
    return this.listOf();
  }

  /** As `list`, for one relation: `record."name", record."city"` */
  listOf(relation?: string): string {
    const prefix = relation ? `${relation}.` : '';
    return this.columns.map((column) => prefix + pg.escapeIdentifier(column)).join(', ');
  }

  /** The columns with their types: `"name" character varying, "city" character varying` */
  get definitions(): string {
    return this.definitionsOf(pg.escapeIdentifier);
  }

  /** As `definitions`, with other names. */
  definitionsOf(nameOf: (column: string) => string): string {
    return [...this.types].map(([column, type]) => `${nameOf(column)} ${type}`).join(', ');
  }

  /** The columns of a row as a JSON object. */
  jsonOf(relation: string): string {
    const members = this.columns.map(
      (column) => `'${column}', ${relation}.${pg.escapeIdentifier(column)}`,
    );
    return `json_build_object(${members.join(', ')})`;
  }

  /** SQL for the value of a column in `json`, an expression for a row as a JSON object. */
  valueIn(json: string, column: string): string {
    return `(${json} ->> ${pg.escapeLiteral(column)})::${this.types.get(column)}`;
  }

  /** As `list`, from a row as a JSON object. Servers that distribute tables push no function with a row down. */
  listIn(json: string): string {
    return this.columns
      .map((column) => `${this.valueIn(json, column)} AS ${pg.escapeIdentifier(column)}`)
      .join(', ');
  }

  /** A value for each column: null for those that `values` lacks. */
  recordOf(values: object): Record<string, unknown> {
    const members = values as Record<string, unknown>;
    return Object.fromEntries(this.columns.map((name) => [name, members[name] ?? null]));
  }

  /** Typed placeholders for the values of some columns; the first one is `$first`. */
  placeholders(columns: string[], first: number): string[] {
    return columns.map((column, index) => `$${first + index}::${this.types.get(column)}`);
  }

  /** The columns that `details` defines, and their values. */
  definedColumns(details: object): { names: string[]; values: unknown[] } {
    const members = details as Record<string, unknown>;
    const names = this.columns.filter((name) => members[name] !== undefined);
    return { names, values: names.map((name) => members[name]) };
  }

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
