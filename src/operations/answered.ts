import type { Principal } from '../http/principal.js';

/**
 * What is known of a request when its answer is complete, or its client is gone. Plain values: who keeps them does not
 * keep the request.
 */
export interface Answered {
  /** The number that this process gave to the request. */
  id: number;
  /** The id that a trusted proxy gave to the request. */
  traceId?: string;
  method: string;
  /** The address as it was registered, without values: `/marathon/:id`; empty for an unknown one. */
  route: string;
  status: number;
  /** From the headers of the request to the end of its answer. */
  durationMs: number;
  /** As `performance.now()` has it. */
  endedAt: number;
  isAborted: boolean;
  /** Of the client. */
  address: string;
  principal?: Principal;
}
