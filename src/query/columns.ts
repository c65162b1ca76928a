/** What kind of values a column holds. */
export type Kind = 'integer' | 'decimal' | 'text';

/** A column that can be asked about. */
export interface QueryColumn {
  name: string;
  kind: Kind;
  /** Whether no row is without it: PostgreSQL finds an index by that. */
  isNeverNull?: boolean;
}

export type Value = string | number;

interface KindRules {
  /** The SQL type of a value that is compared with such a column. */
  cast: string;
  /** What a value looks like, for who sent something else. */
  wish: string;
  /** Undefined where the text is no such value. */
  read: (text: string) => Value | undefined;
}

export const KINDS: Record<Kind, KindRules> = {
  integer: {
    cast: 'bigint',
    wish: 'a whole number of at most 15 digits',
    read: (text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined),
  },
  decimal: {
    cast: 'float8',
    wish: 'a number such as 1970 or 1970.5',
    read: (text) => (/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined),
  },
  text: {
    cast: 'text',
    wish: 'text without a NUL character',
    read: (text) => (text.includes('\0') ? undefined : text),
  },
};

/** A name in double quotes, as SQL takes it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
