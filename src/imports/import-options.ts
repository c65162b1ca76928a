import type { ColumnMapping } from '../query/column-mappings.js';
import type { Conflict } from './merge.js';

/** How the rows of an upload are read and stored. */
export interface ImportOptions {
  /** The columns that are read. Without it all are read, and an unknown one is an error. */
  columns?: ColumnMapping[];
  /** A text that means null in CSV, besides `NULL` and nothing at all. */
  nullText?: string;
  /** Without it, every row becomes a new record. */
  conflict?: Conflict;
  /** Aborts an import that waits for others. One that has begun ends. */
  signal?: AbortSignal;
  /** Called when all rows have been read and are valid, before they are stored. */
  onValid?: (rowCount: number) => void;
}
