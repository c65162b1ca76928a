import pg from 'pg';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import type { Table } from 'typeorm/schema-builder/table/Table.js';
import type { TableColumn } from 'typeorm/schema-builder/table/TableColumn.js';
import { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';

/** Types of one kind, each able to hold all values of those before it. */
const KINDS = [
  ['smallint', 'integer', 'bigint'],
  ['character varying', 'text'],
];

/**
 * Finds the statements that bring the tables to what the entities say, as TypeORM's `synchronize` does,
 * but only those that add. TypeORM would also drop what the entities do not name, would rename a column
 * of that kind to one that is missing, and would drop a column and add it anew if its type differs.
 */
export class AdditiveSchemaBuilder extends RdbmsSchemaBuilder {
  /** What stands in the tables and not in the entities: it stays. */
  readonly unknown: string[] = [];
  /** Columns of a type that cannot hold what the entities need, each with the statement that widens it. */
  readonly tooNarrow: string[] = [];

  protected override async dropOldViews(): Promise<void> {}
  protected override async dropOldForeignKeys(): Promise<void> {}
  protected override async dropOldIndices(): Promise<void> {}
  protected override async dropOldChecks(): Promise<void> {}
  protected override async dropOldExclusions(): Promise<void> {}
  protected override async dropCompositeUniqueConstraints(): Promise<void> {}
  protected override async renameColumns(): Promise<void> {}
  protected override async dropRemovedColumns(): Promise<void> {}

  protected override async updateExistColumns(): Promise<void> {
    for (const { table, columns } of this.knownTables()) {
      for (const column of table.columns) {
        const needed = columns.find(({ databaseName }) => databaseName === column.name);
        if (needed) this.acceptType(table, column, needed);
        else this.unknown.push(`${table.name}.${column.name}`);
      }
    }
    await super.updateExistColumns();
  }

  /** From here on the column looks as if it had the type that the entity names. */
  private acceptType(table: Table, column: TableColumn, needed: ColumnMetadata): void {
    const type = this.dataSource.driver.normalizeType(needed);
    if (!isAsWide(column, { type, length: needed.length })) {
      const wanted = needed.length ? `${type}(${needed.length})` : type;
      const [name, columnName] = [table.name, column.name].map((text) => pg.escapeIdentifier(text));
      this.tooNarrow.push(`ALTER TABLE ${name} ALTER COLUMN ${columnName} TYPE ${wanted}`);
    }
    column.type = type;
    column.length = needed.length;
  }

  private *knownTables() {
    for (const { tableName, columns } of this.dataSource.entityMetadatas) {
      const table = this['tables'].find(({ name }) => name.split('.').at(-1) === tableName);
      if (table) yield { table, columns };
    }
  }
}

type SizedType = Pick<TableColumn, 'type' | 'length'>;

function isAsWide(column: SizedType, needed: SizedType): boolean {
  if (column.type === needed.type)
    return !column.length || Number(column.length) >= Number(needed.length || Infinity);
  const kind = KINDS.find((types) => types.includes(needed.type));
  return kind !== undefined && kind.indexOf(column.type) > kind.indexOf(needed.type);
}
