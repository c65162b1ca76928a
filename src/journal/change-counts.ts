/** The numbers of the first and of the last change of a write. */
export type ChangeRange = [first: number, last: number];

/** How many records a write created, updated, deleted, restored and left unchanged. */
export interface ChangeCounts {
  inserted: number;
  updated: number;
  deleted: number;
  restored: number;
  skipped: number;
  /** Its changes; null if it changed nothing. */
  range: ChangeRange | null;
}

export const NOTHING_CHANGED: ChangeCounts = {
  inserted: 0,
  updated: 0,
  deleted: 0,
  restored: 0,
  skipped: 0,
  range: null,
};

/** SQL for the first four counts, over rows with an `operation`. */
export const CHANGE_COUNTS_SQL = Object.entries({
  inserted: 'create',
  updated: 'update',
  deleted: 'delete',
  restored: 'restore',
})
  .map(
    ([name, operation]) => `count(*) FILTER (WHERE operation = '${operation}')::integer AS ${name}`,
  )
  .join(', ');
