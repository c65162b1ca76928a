/** The types of values that columns hold. */
export type ColumnType = 'integer' | 'decimal' | 'text';

/** A column that can be filtered, sorted and selected. */
export interface QueryColumn {
  name: string;
  type: ColumnType;
  /** Whether it is never null. PostgreSQL needs this to use an index for cursors. */
  isNeverNull?: boolean;
  /** A value, for documentation. */
  example?: Value;
}

export type Value = string | number;

interface TypeRules {
  /** The SQL type that values are cast to. */
  cast: string;
  /** A description of valid values, for error messages. */
  description: string;
  /** Returns undefined if the text is no such value. */
  parse: (text: string) => Value | undefined;
}

export const COLUMN_TYPES: Record<ColumnType, TypeRules> = {
  integer: {
    cast: 'bigint',
    description: 'a whole number of at most 15 digits',
    parse: (text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined),
  },
  decimal: {
    cast: 'float8',
    description: 'a number such as 1970 or 1970.5',
    parse: (text) => (/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined),
  },
  text: {
    cast: 'text',
    description: 'text without a NUL character',
    parse: (text) => (text.includes('\0') ? undefined : text),
  },
};

/** An identifier in double quotes, as SQL requires it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
