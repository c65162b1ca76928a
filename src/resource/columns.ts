import { Column } from 'typeorm';

/** What a text column accepts. */
export interface TextLimits {
  /** In characters, not bytes. */
  maxLength: number;
}

/** What an integer column accepts. */
export interface IntegerLimits {
  min: number;
  max: number;
}

interface ColumnRules {
  /** Whether a record without it is rejected. */
  isRequired?: boolean;
  /** Whether `q=` searches it. */
  isSearched?: boolean;
  /** A valid value, for error messages and documentation. */
  example: string | number;
}

type TextRules = ColumnRules & TextLimits;
type IntegerRules = ColumnRules & IntegerLimits;

/**
 * A column that clients read and write. It is the one definition of the column: the table, the
 * validation of bodies and imports, filters, `select`, the search and the answers are derived from it.
 */
export type ResourceColumn = { name: string } & (
  ({ type: 'text' } & TextRules) | ({ type: 'integer' } & IntegerRules)
);

const columnsByEntity = new WeakMap<Function, ResourceColumn[]>();

/** Declares a text column. It is nullable in the table, also if it is required from clients. */
export function TextColumn(rules: TextRules): PropertyDecorator {
  return (prototype, name) => {
    addColumn(prototype, { name: String(name), type: 'text', ...rules });
    Column({ type: 'varchar', length: rules.maxLength, nullable: true })(prototype, name);
  };
}

/** As `TextColumn`, for whole numbers. */
export function IntegerColumn(rules: IntegerRules): PropertyDecorator {
  return (prototype, name) => {
    addColumn(prototype, { name: String(name), type: 'integer', ...rules });
    Column({ type: 'integer', nullable: true })(prototype, name);
  };
}

/** The columns of an entity that clients read and write, in the order of its declaration. */
export function columnsOf(entity: Function): ResourceColumn[] {
  return columnsByEntity.get(entity) ?? [];
}

function addColumn({ constructor }: object, column: ResourceColumn): void {
  columnsByEntity.set(constructor, [...columnsOf(constructor), column]);
}
