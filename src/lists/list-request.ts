import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientConnection } from '../http/client-connection.js';
import { headerParameter } from '../http/api-operation.js';
import { queryParametersOf } from '../http/api-parameters.js';
import { fromQuery } from '../http/from-request.js';
import { negotiate } from '../http/negotiation.js';
import { CONSISTENCY_PARAMETER, readServerOf } from '../http/read-consistency.js';
import { preferencesOf, type CountMode } from '../http/preferences.js';
import { startDeadline, type Deadline } from '../http/request-deadline.js';
import { rowRangeOf, type RowRange } from '../http/row-range.js';
import type { ReadServer } from '../journal/read-servers.js';
import { prefixOf } from '../postgrest/postgrest-clients.js';
import type { DtoClass } from '../http/dto-metadata.js';
import { invalidParameters } from '../http/validation.js';
import { ProblemError } from '../problems/problems.js';
import type { Group } from '../query/conditions.js';
import type { ListQuery, QueryableResource } from '../query/list-query.js';
import type { QueryParameters } from '../query/parameters.js';
import type { FormatName, FormatParameter, Formats } from './formats.js';
import {
  describeList,
  ListParametersParser,
  NoOptions,
  type AcceptedParameters,
} from './list-parameters.js';
import { assertWithinLimits } from './query-limits.js';

/** A list that clients can request. */
export interface ListedResource extends QueryableResource {
  /** The default format comes first. */
  formats: Formats;
}

const LIST_HEADERS = [
  headerParameter('If-None-Match', 'The answer is 304 if the list still has this `ETag`.', '"1"'),
  headerParameter('Range', 'The rows from one to another, counted from 0, as in `0-24`.', '0-24'),
  headerParameter('Range-Unit', 'The unit of `Range`: `items`.', 'items'),
  headerParameter(
    'Prefer',
    'Preferences (RFC 7240): `count=exact`, `count=planned` or `count=estimated` count the rows, `csv=safe` ' +
      'protects spreadsheets, `handling=strict`.',
    'count=exact',
  ),
  CONSISTENCY_PARAMETER,
];

/** A request for a list: what is listed, and how it is sent. */
export class ListRequest {
  readonly deadline: Deadline;
  readonly server: ReadServer;
  private readonly range?: RowRange;
  private negotiated?: FormatName;
  private requested?: ListQuery;

  constructor(
    private readonly parsedQuery: ListQuery,
    private readonly reply: FastifyReply,
    private readonly formats: Formats,
    private readonly formatParameter?: FormatParameter,
  ) {
    this.deadline = startDeadline(this.http);
    this.server = readServerOf(this.http);
    this.range = rowRangeOf(this.http);
  }

  /** Negotiated when it is needed: most writes send no list. */
  get formatName(): FormatName {
    this.negotiated ??= this.negotiate();
    return this.negotiated;
  }

  private negotiate(): FormatName {
    const name = this.formatParameter ?? negotiate(this.http, this.formats);
    if (name === 'csv' && preferencesOf(this.http).csv === 'safe') return 'safe-csv';
    if (name === 'json' && !this.formatParameter && prefixOf(this.http)) return 'json-array';
    return name;
  }

  /** The query of the address, and of the header `Range`. */
  get query(): ListQuery {
    this.requested ??= this.range ? withRange(this.parsedQuery, this.range) : this.parsedQuery;
    return this.isSingle ? { ...this.requested, limit: 2 } : this.requested;
  }

  get format() {
    return this.formats[this.formatName];
  }

  /** Whether exactly one row is requested, as PostgREST's clients do by `Accept`. */
  get isSingle(): boolean {
    return this.formatName === 'object' || this.formatName === 'stripped-object';
  }

  /** How the rows are counted; undefined if they are not. */
  get countMode(): CountMode | undefined {
    return preferencesOf(this.http).count;
  }

  get needsRows(): boolean {
    return this.http.method !== 'HEAD';
  }

  get ifNoneMatch(): string | undefined {
    return this.http.headers['if-none-match'];
  }

  /** Requests with the same key get the same response at the same time; undefined if none may share it. */
  get coalescingKey(): string | undefined {
    const { method, url } = this.http;
    const { first, last } = this.range ?? {};
    return method === 'GET'
      ? `${url} ${this.formatName} ${this.countMode} ${first}-${last}`
      : undefined;
  }

  /** The same request with a deadline that starts now. */
  restarted(): ListRequest {
    return new ListRequest(this.parsedQuery, this.reply, this.formats, this.formatParameter);
  }

  /** The client that waits for the list. */
  get client(): ClientConnection {
    return new ClientConnection(this.reply);
  }

  private get http(): FastifyRequest {
    return this.reply.request;
  }
}

/** A list request, and the parameters of its route. */
export interface ParsedList<Options> {
  query: ListQuery;
  request: ListRequest;
  options: Options;
}

/** The records that a bulk change selects, and how they are listed after it. */
export interface Selection {
  selected: SelectedRecords;
  request: ListRequest;
}

/** A filter and, with a limit or an offset, the order in which records are counted. */
export type SelectedRecords = Pick<ListQuery, 'where' | 'order' | 'limit' | 'offset'>;

/**
 * Gives a handler a list request.
 * @throws {ProblemError} `invalid_parameter`, `unknown_parameter` or `not_acceptable`.
 */
export function ListQueryOf<Options extends object>(
  resource: ListedResource,
  optionsClass: DtoClass<Options>,
  accepted: AcceptedParameters = 'all',
): ParameterDecorator {
  const parser = new ListParametersParser(resource, optionsClass, accepted);
  return fromQuery(
    (parameters, reply): ParsedList<Options> => {
      const { options, query } = parser.parse(parameters);
      assertWithinLimits(query, reply.server.queryLimits);
      const { format } = options as { format?: FormatParameter };
      return { query, options, request: new ListRequest(query, reply, resource.formats, format) };
    },
    [
      ...describeList(resource, accepted),
      ...queryParametersOf(optionsClass),
      ...(accepted === 'all' ? LIST_HEADERS : []),
    ],
  );
}

/** The rows that the parameters and the range have in common. */
function withRange(query: ListQuery, { first, last = Infinity }: RowRange): ListQuery {
  if (query.after) throw new ProblemError('invalid_header', 'Range cannot be combined with after.');
  const offset = Math.max(query.offset, first);
  const end = Math.min(query.offset + (query.limit ?? Infinity), last + 1);
  const limit = end === Infinity ? undefined : Math.max(0, end - offset);
  return { ...query, offset, limit };
}

const ALL_RECORDS: Group = { kind: 'and', negated: false, conditions: [] };

/**
 * Gives a handler the records that a bulk change selects.
 * @throws {ProblemError} `missing_filter` without conditions, and as `ListQueryOf`.
 */
export function SelectionOf(resource: ListedResource): ParameterDecorator {
  const parser = new ListParametersParser(resource, NoOptions, 'selection');
  return fromQuery(
    (parameters: QueryParameters, reply): Selection => {
      const { query } = parser.parse(parameters);
      assertWithinLimits(query, reply.server.queryLimits);
      if (query.isGrouped) {
        const detail = 'takes no aggregates where records are changed';
        throw invalidParameters([{ parameter: 'select', detail }]);
      }
      if (!query.where.conditions.length) throw missingFilter(resource.unique.name);
      const changed = { ...query, where: ALL_RECORDS, limit: undefined, offset: 0 };
      return { selected: query, request: new ListRequest(changed, reply, resource.formats) };
    },
    describeList(resource, 'selection'),
  );
}

function missingFilter(uniqueColumn: string): ProblemError {
  return new ProblemError(
    'missing_filter',
    'Without a filter this request would affect all records. Add a filter; to affect all of them on purpose, ' +
      `send ${uniqueColumn}=gt.0.`,
  );
}
