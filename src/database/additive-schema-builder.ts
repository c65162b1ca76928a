import pg from 'pg';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import type { Table } from 'typeorm/schema-builder/table/Table.js';
import type { TableColumn } from 'typeorm/schema-builder/table/TableColumn.js';
import { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';

/** Types of one family. Each can store all values of the ones before it. */
const TYPE_FAMILIES = [
  ['smallint', 'integer', 'bigint'],
  ['character varying', 'text'],
];

/**
 * Finds the statements that bring the tables up to date with the entities, as TypeORM's `synchronize`
 * does, but only those that add. TypeORM would also drop columns that the entities do not name, rename
 * such a column to a missing one, and drop and add a column whose type differs.
 */
export class AdditiveSchemaBuilder extends RdbmsSchemaBuilder {
  /** The columns that are in the tables and not in the entities. They are left unchanged. */
  readonly unknownColumns: string[] = [];
  /** Statements for the columns whose type is too narrow for the entities. */
  readonly wideningStatements: string[] = [];

  protected override async dropOldViews(): Promise<void> {}
  protected override async dropOldForeignKeys(): Promise<void> {}
  protected override async dropOldIndices(): Promise<void> {}
  protected override async dropOldChecks(): Promise<void> {}
  protected override async dropOldExclusions(): Promise<void> {}
  protected override async dropCompositeUniqueConstraints(): Promise<void> {}
  protected override async renameColumns(): Promise<void> {}
  protected override async dropRemovedColumns(): Promise<void> {}

  protected override async updateExistColumns(): Promise<void> {
    for (const { table, columns } of this.existingTables()) {
      for (const column of table.columns) {
        const needed = columns.find(({ databaseName }) => databaseName === column.name);
        if (needed) this.accept(table, column, needed);
        else this.unknownColumns.push(`${table.name}.${column.name}`);
      }
    }
    await super.updateExistColumns();
  }

  /** Makes TypeORM regard the column as that of the entity. */
  private accept(table: Table, column: TableColumn, needed: ColumnMetadata): void {
    const type = this.dataSource.driver.normalizeType(needed);
    if (!isAsWide(column, { type, length: needed.length })) {
      const wanted = needed.length ? `${type}(${needed.length})` : type;
      const [name, columnName] = [table.name, column.name].map((text) => pg.escapeIdentifier(text));
      this.wideningStatements.push(`ALTER TABLE ${name} ALTER COLUMN ${columnName} TYPE ${wanted}`);
    }
    // the primary key of a distributed table has more columns
    column.isPrimary &&= needed.isPrimary;
    column.type = type;
    column.length = needed.length;
  }

  private *existingTables() {
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
  const family = TYPE_FAMILIES.find((types) => types.includes(needed.type));
  return family !== undefined && family.indexOf(column.type) > family.indexOf(needed.type);
}
