/** On what terms a write is asked for. */
export interface WriteTerms {
  /** Sent twice, a request is done once. */
  requestId?: string;
  /** Whether the id is the client's own, who may send another request under it by mistake. */
  isKeyed?: boolean;
  /** Whether what it changed will be shown, found by its id. */
  isShown?: boolean;
  /** Done only while the record has one of these versions. */
  expectedVersions?: number[];
  /** Done for its answer, and then taken back. */
  isRehearsal?: boolean;
  /** Who asks. */
  by?: string;
}
