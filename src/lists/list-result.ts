import type { DatabaseVersion } from '../journal/database-versions.js';
import type { Search } from '../search/search.js';
import type { ListMetadata } from './list-executor.js';
import type { ListRequest } from './list-request.js';
import type { RowStream } from './row-stream.js';

/** Where the rows of a list come from. */
export interface ListSource {
  /** SQL: a table, or a query in parentheses. */
  relation: string;
  /** How `q=` is searched in the relation. */
  search: Search;
  /**
   * What the list depends on: the latest change, or an earlier one by its `seq`. Undefined if the list
   * must not be cached.
   */
  version?: 'latest' | number;
}

/** A list that can be sent. If its rows are a `RowStream`, the receiver must close it. */
export interface ListResult extends ListMetadata {
  version?: DatabaseVersion;
  /** The client has this version of the list already. */
  isNotModified?: boolean;
  /** Undefined if they were not requested. */
  rows?: Buffer | RowStream;
}

/** The entity tag of a list in a format. */
export function etagOf({ formatName }: ListRequest, { seq }: DatabaseVersion): string {
  return formatName === 'json' ? `${seq}` : `${seq}-${formatName}`;
}
