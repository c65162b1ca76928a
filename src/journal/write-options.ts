/** The conditions of a write. */
export interface WriteOptions {
  /** A write with the id of an earlier one is not executed again: it returns the stored result. */
  requestId?: string;
  /** Whether the id comes from the client, which could send another request with it by mistake. */
  hasIdempotencyKey?: boolean;
  /** Whether the changed records are returned. They are found by the request id. */
  returnsRepresentation?: boolean;
  /** The write is executed only if the record has one of these versions. */
  ifMatch?: number[];
  /** The write is executed only if there is no such record. */
  mustBeNew?: boolean;
  /** The largest number of records that a bulk change may affect. */
  maxAffected?: number;
  /** The write is executed and then rolled back. */
  dryRun?: boolean;
  /** Set by a dry run if `returnsRepresentation`: the records as the write would leave them. */
  dryRunRecords?: object[];
  /** The author of the write; undefined if it is not known. */
  by?: string;
}
