/** Which changes are read, as SQL. */
export interface Selection {
  where: string;
  order: string;
  limit: string;
}

/** The entries are selected first: the requests may be on another server. */
export const changesSql = ({ where, order, limit }: Selection) => `
  WITH entry AS MATERIALIZED (SELECT * FROM journal WHERE ${where} ORDER BY ${order} LIMIT ${limit})
  SELECT seq, operation, version, at, by, record_id, record
  FROM entry CROSS JOIN LATERAL (
    SELECT at, by FROM journal_request WHERE first_seq <= seq ORDER BY first_seq DESC LIMIT 1
  ) AS request ORDER BY ${order}`;

/** The changes after the change $1. */
export const AFTER: Selection = { where: 'seq > $1', order: 'seq', limit: '$2' };
/** Those of the record $1, before the version $2. */
export const OF_RECORD: Selection = {
  where: 'record_id = $1 AND ($2::integer IS NULL OR version < $2)',
  order: 'version DESC',
  limit: '$3',
};
/** The last one of the record $1 up to the change $2. */
export const LATEST_OF_RECORD: Selection = {
  where: 'record_id = $1 AND seq <= $2',
  order: 'version DESC',
  limit: '1',
};
