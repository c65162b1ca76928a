export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    Problem: {
      /** @description The address of the description of the problem. */
      type: string;
      title: string;
      status: number;
      /**
       * @description A stable code for programs.
       * @enum {unknown}
       */
      code:
        | 'invalid_body'
        | 'malformed_json'
        | 'missing_body'
        | 'invalid_upload'
        | 'invalid_rows'
        | 'aborted_upload'
        | 'invalid_id'
        | 'invalid_parameter'
        | 'unknown_parameter'
        | 'invalid_header'
        | 'invalid_preference'
        | 'missing_filter'
        | 'max_affected_exceeded'
        | 'future_change'
        | 'malformed_request'
        | 'malformed_address'
        | 'key_required'
        | 'invalid_key'
        | 'access_is_open'
        | 'insufficient_role'
        | 'cross_site'
        | 'host_not_allowed'
        | 'not_found'
        | 'unknown_address'
        | 'method_not_allowed'
        | 'not_acceptable'
        | 'request_timeout'
        | 'already_exists'
        | 'not_deleted'
        | 'changed_since'
        | 'constraint_violation'
        | 'changes_lost'
        | 'history_pruned'
        | 'precondition_failed'
        | 'body_too_large'
        | 'address_too_long'
        | 'unsupported_media_type'
        | 'range_not_satisfiable'
        | 'expectation_failed'
        | 'idempotency_key_reused'
        | 'too_many_requests'
        | 'headers_too_large'
        | 'internal_error'
        | 'database_unavailable'
        | 'database_read_only'
        | 'too_many_connections'
        | 'too_many_long_lists'
        | 'too_many_imports'
        | 'disk_full';
      /** @description What is wrong with this request, and what to do next. */
      detail: string;
      /** @description What is wrong with each member, parameter or row. */
      errors?: {
        pointer?: string;
        parameter?: string;
        line?: number;
        detail?: string;
        position?: number;
      }[];
      /** @description The number of rows that were rejected. */
      rejected?: number;
      /** @description The record that does not have the required version. Its version is the `ETag`. */
      current?: Record<string, never>;
      /** @description For clients of PostgREST. */
      message?: string;
      details?: string;
      hint?: string | null;
    };
    ApiKey: {
      id: number;
      name: string;
      /** @enum {unknown} */
      role: 'reader' | 'writer' | 'admin';
      created_by: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      expires_at: string | null;
      /** Format: date-time */
      revoked_at: string | null;
      /**
       * Format: date-time
       * @description To the minute.
       */
      last_used_at: string | null;
    };
    NewApiKey: {
      id: number;
      name: string;
      /** @enum {unknown} */
      role: 'reader' | 'writer' | 'admin';
      created_by: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      expires_at: string | null;
      /** Format: date-time */
      revoked_at: string | null;
      /**
       * Format: date-time
       * @description To the minute.
       */
      last_used_at: string | null;
      /** @description It is shown in this answer only. */
      key: string;
    };
    CreateApiKey: {
      name: string;
      /** @enum {string} */
      role: 'reader' | 'writer' | 'admin';
      /** Format: date-time */
      expires_at?: string | null;
    };
    /** @description The columns and aggregates that `select` names. */
    SelectedRow: {
      [key: string]: unknown;
    };
    Marathon: {
      /** @example Boston Marathon */
      name: string | null;
      /** @example Boston */
      city: string | null;
      /** @example 1897 */
      inception_year: number | null;
      /** @example 1 */
      id: number;
    };
    CreatedMarathon: {
      /** @example 4 */
      id: number;
    };
    ImportCounts: {
      inserted: number;
      updated: number;
      skipped: number;
    };
    Change: {
      /** @description The number of the change, without gaps. */
      seq: number;
      /** @enum {unknown} */
      operation: 'create' | 'update' | 'delete' | 'restore';
      version: number;
      /** Format: date-time */
      at: string;
      /** @description The name of the API key that made the change. */
      by: string | null;
      marathon: components['schemas']['Marathon'];
    };
    CreateMarathon: {
      /** @example Boston Marathon */
      name: string;
      /** @example Boston */
      city?: string | null;
      /** @example 1897 */
      inception_year?: number | null;
      id?: number | null;
    };
    UpdateMarathon: {
      /** @example Boston Marathon */
      name?: string;
      /** @example Boston */
      city?: string | null;
      /** @example 1897 */
      inception_year?: number | null;
      id?: number | null;
    };
    Anniversary: {
      /** @example Boston Marathon */
      name: string | null;
      /** @example Boston */
      city: string | null;
      /** @example 1897 */
      inception_year: number | null;
      /** @example 1 */
      id: number;
      years: number;
    };
    DeletedMarathon: {
      /** @example Boston Marathon */
      name: string | null;
      /** @example Boston */
      city: string | null;
      /** @example 1897 */
      inception_year: number | null;
      /** @example 1 */
      id: number;
      seq: number;
    };
    Statistics: {
      count: number;
      by_decade: {
        decade: number | null;
        count: number;
      }[];
      cities: number;
      by_city: {
        city: string | null;
        count: number;
      }[];
      oldest: components['schemas']['Marathon'] | null;
      newest: components['schemas']['Marathon'] | null;
    };
    MarathonMap: {
      /** @constant */
      type: 'FeatureCollection';
      features: {
        /** @constant */
        type: 'Feature';
        geometry: {
          /** @constant */
          type: 'Point';
          coordinates: number[];
        };
        properties: {
          city: string;
          count: number;
          /** @description The place that is meant. */
          place: string;
          is_approximate: boolean;
          /** @description Other places of the name. */
          other_places: string[];
        };
      }[];
      placed: {
        cities: number;
        marathons: number;
      };
      unplaced: {
        cities: number;
        marathons: number;
        examples: string[];
      };
      without_city: number;
      attribution: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
