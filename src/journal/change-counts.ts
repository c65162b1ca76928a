/** How many records a write created, updated, deleted and left unchanged. */
export interface ChangeCounts {
  inserted: number;
  updated: number;
  deleted: number;
  skipped: number;
}

/** SQL for those counts, over rows with an `operation`. */
export const CHANGE_COUNTS_SQL = `
  count(*) FILTER (WHERE operation = 'create')::integer AS inserted,
  count(*) FILTER (WHERE operation = 'update')::integer AS updated,
  count(*) FILTER (WHERE operation = 'delete')::integer AS deleted`;
