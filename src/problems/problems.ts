/**
 * Every kind of problem that the service reports: its stable code, its HTTP status and its title.
 * `docs/errors.md` describes each of them.
 */
export const PROBLEMS = {
  invalid_body: [400, 'Invalid body'],
  malformed_json: [400, 'Malformed JSON'],
  missing_body: [400, 'Missing body'],
  invalid_upload: [400, 'Invalid upload'],
  invalid_rows: [400, 'Invalid rows'],
  aborted_upload: [400, 'Aborted upload'],
  invalid_id: [400, 'Invalid id'],
  invalid_parameter: [400, 'Invalid query parameter'],
  unknown_parameter: [400, 'Unknown query parameter'],
  invalid_header: [400, 'Invalid header'],
  invalid_preference: [400, 'Invalid preference'],
  missing_filter: [400, 'Missing filter'],
  max_affected_exceeded: [400, 'Too many records affected'],
  future_change: [400, 'Change in the future'],
  malformed_request: [400, 'Malformed request'],
  malformed_address: [400, 'Malformed address'],
  key_required: [401, 'API key required'],
  invalid_key: [401, 'Invalid API key'],
  access_is_open: [403, 'Access is open'],
  insufficient_role: [403, 'Insufficient role'],
  cross_site: [403, 'Cross-site request'],
  host_not_allowed: [403, 'Host not allowed'],
  not_found: [404, 'Not found'],
  unknown_address: [404, 'Unknown address'],
  method_not_allowed: [405, 'Method not allowed'],
  not_acceptable: [406, 'Not acceptable'],
  request_timeout: [408, 'Request timeout'],
  already_exists: [409, 'Already exists'],
  not_deleted: [409, 'Not deleted'],
  changed_since: [409, 'Changed since'],
  constraint_violation: [409, 'Constraint violation'],
  changes_lost: [410, 'Changes lost'],
  history_pruned: [410, 'History pruned'],
  precondition_failed: [412, 'Precondition failed'],
  body_too_large: [413, 'Body too large'],
  address_too_long: [414, 'Address too long'],
  unsupported_media_type: [415, 'Unsupported media type'],
  range_not_satisfiable: [416, 'Range not satisfiable'],
  expectation_failed: [417, 'Expectation failed'],
  idempotency_key_reused: [422, 'Idempotency key reused'],
  too_many_requests: [429, 'Too many requests'],
  headers_too_large: [431, 'Headers too large'],
  internal_error: [500, 'Internal error'],
  database_unavailable: [503, 'Database unavailable'],
  database_read_only: [503, 'Database read-only'],
  too_many_connections: [503, 'Too many connections'],
  too_many_long_lists: [503, 'Too many long lists'],
  too_many_imports: [503, 'Too many imports'],
  disk_full: [507, 'Disk full'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Members that some problem documents have besides the standard ones. */
export interface ProblemExtensions {
  /** What is wrong with each member, parameter or row. */
  errors?: object[];
  /** The number of rejected rows; `errors` shows only the first of them. */
  rejected?: number;
  /** The record whose version is not the required one. The version is sent as `ETag`. */
  current?: object & { version: number };
}

/** What a problem document says. */
export interface Problem extends ProblemExtensions {
  code: ProblemCode;
  /** What is wrong with this request, and what to do next. */
  detail: string;
}

/** A request cannot be served. The problem filter turns it into a problem document. */
export class ProblemError extends Error implements Problem {
  override readonly name = 'ProblemError';
  readonly errors?: object[];
  readonly rejected?: number;
  readonly current?: object & { version: number };

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    extensions: ProblemExtensions = {},
  ) {
    super(detail);
    Object.assign(this, extensions);
  }
}

export function statusOf(code: ProblemCode): number {
  return PROBLEMS[code][0];
}

/** The address of the description of a kind of problem. */
export function typeOf(code: ProblemCode): string {
  return `/problems/${code.replaceAll('_', '-')}`;
}

/**
 * Serializes a problem document (RFC 9457, section 3). For clients of PostgREST it has the members of its
 * errors too: https://docs.postgrest.org/en/stable/references/errors.html
 */
export function serializeProblem(
  { code, detail, errors, rejected, current }: Problem,
  isForPostgrest = false,
): string {
  const [status, title] = PROBLEMS[code];
  const postgrest = isForPostgrest ? { message: detail, details: detail, hint: null } : {};
  const type = typeOf(code);
  const members = { type, title, status, code, detail, ...postgrest, errors, rejected };
  return JSON.stringify({ ...members, current: current && { ...current, version: undefined } });
}
