import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientConnection } from '../http/client-connection.js';
import { fromQuery } from '../http/from-request.js';
import { negotiate } from '../http/negotiation.js';
import { preferencesOf } from '../http/preferences.js';
import { startDeadline, type Deadline } from '../http/request-deadline.js';
import { invalidParameters, type DtoClass } from '../http/validation.js';
import { ProblemError } from '../problems/problems.js';
import type { Group } from '../query/conditions.js';
import type { ListQuery, QueryableResource } from '../query/list-query.js';
import type { QueryParameters } from '../query/parameters.js';
import type { FormatName, FormatParameter, Formats } from './formats.js';
import { ListParametersParser, type AcceptedParameters } from './list-parameters.js';

/** A list that clients can request. */
export interface ListedResource extends QueryableResource {
  /** The default format comes first. */
  formats: Formats;
}

/** A request for a list: what is listed, and how it is sent. */
export class ListRequest {
  readonly deadline: Deadline;
  private negotiated?: FormatName;

  constructor(
    private readonly parsedQuery: ListQuery,
    private readonly reply: FastifyReply,
    private readonly formats: Formats,
    private readonly formatParameter?: FormatParameter,
  ) {
    this.deadline = startDeadline(this.http);
  }

  /** Negotiated when it is needed: most writes send no list. */
  get formatName(): FormatName {
    this.negotiated ??= this.formatParameter ?? negotiate(this.http, this.formats);
    return this.negotiated;
  }

  get query(): ListQuery {
    return this.isSingle ? { ...this.parsedQuery, limit: 2 } : this.parsedQuery;
  }

  get format() {
    return this.formats[this.formatName];
  }

  /** Whether exactly one row is requested, as PostgREST's clients do by `Accept`. */
  get isSingle(): boolean {
    return this.formatName === 'object';
  }

  /** Whether the rows are counted: `Prefer: count=exact`. */
  get isCounted(): boolean {
    return preferencesOf(this.http).count === 'exact';
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
    return method === 'GET' ? `${url} ${this.formatName} ${this.isCounted}` : undefined;
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
  where: Group;
  request: ListRequest;
}

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
  return fromQuery((parameters, reply): ParsedList<Options> => {
    const { options, query } = parser.parse(parameters);
    const { format } = options as { format?: FormatParameter };
    return { query, options, request: new ListRequest(query, reply, resource.formats, format) };
  });
}

class NoOptions {}

const ALL_RECORDS: Group = { kind: 'and', negated: false, conditions: [] };

/**
 * Gives a handler the records that a bulk change selects.
 * @throws {ProblemError} `missing_filter` without conditions, and as `ListQueryOf`.
 */
export function SelectionOf(resource: ListedResource): ParameterDecorator {
  const parser = new ListParametersParser(resource, NoOptions, 'conditions and select');
  return fromQuery((parameters: QueryParameters, reply): Selection => {
    const { query } = parser.parse(parameters);
    if (query.isGrouped) {
      const detail = 'takes no aggregates where records are changed';
      throw invalidParameters([{ parameter: 'select', detail }]);
    }
    const { where } = query;
    if (!where.conditions.length) throw missingFilter(resource.unique.name);
    const changed = { ...query, where: ALL_RECORDS };
    return { where, request: new ListRequest(changed, reply, resource.formats) };
  });
}

function missingFilter(uniqueColumn: string): ProblemError {
  return new ProblemError(
    'missing_filter',
    'Without a filter this request would affect all records. Add a filter; to affect all of them on purpose, ' +
      `send ${uniqueColumn}=gt.0.`,
  );
}
