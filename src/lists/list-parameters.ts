import { IsIn } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { invalidParameters, toDto, type ParameterIssue } from '../http/validation.js';
import type { ApiParameter } from '../http/api-types.js';
import { COUNT } from '../http/api-operation.js';
import { HasSchema, memberNamesOf, type DtoClass, type Schema } from '../http/dto-metadata.js';
import { IsOptionalNotNull, IsPastTime } from '../http/value-rules.js';
import { COLUMN_TYPES, type QueryColumn } from '../query/columns.js';
import { InvalidQueryError } from '../query/errors.js';
import { parseListQuery, type ListQuery, type QueryableResource } from '../query/list-query.js';
import { operatorsOf } from '../query/operators.js';
import { GROUP_NAMES, type QueryParameters } from '../query/parameters.js';
import { FORMAT_PARAMETERS, type FormatParameter } from './formats.js';

const MAX_CACHED_QUERIES = 1000;
/** The parameters that are about pages of rows, and what they mean. */
const PAGE_DESCRIPTIONS = {
  order: 'The order, as in column.desc.nullslast,other',
  limit: 'The largest number of rows',
  offset: 'The number of rows to skip',
  after: 'The cursor of a page, from Link',
  having: 'A condition for aggregates, as in count.gt.1',
  q: 'The words of a search',
};
const NUMBERS = new Set(['limit', 'offset']);
const TEXT_PARAMETER: Schema = { type: 'string' };
const PAGE_PARAMETERS = Object.keys(PAGE_DESCRIPTIONS);
const DESCRIPTIONS: Record<string, string> = {
  ...Object.fromEntries(GROUP_NAMES.map((name) => [name, 'Conditions in parentheses'])),
  select: 'The columns of the answer, as in column,newname:other',
  ...PAGE_DESCRIPTIONS,
};

/** Which parameters of a list a route accepts. */
export type AcceptedParameters = 'all' | 'conditions' | 'select' | 'selection';

/** A parameter that names a format, in place of `Accept`. */
export function IsFormat() {
  const message = `can be ${FORMAT_PARAMETERS.join(', ')}`;
  return applyDecorators(
    IsOptionalNotNull(),
    HasSchema({ type: 'string', enum: FORMAT_PARAMETERS }),
    IsIn(FORMAT_PARAMETERS, { message }),
  );
}

/** The format of a list. */
export class FormatOption {
  @IsFormat()
  format?: FormatParameter;
}

/** The parameters of a list besides those of its query. */
export class ListOptions extends FormatOption {
  @IsOptionalNotNull()
  @IsPastTime()
  as_of?: Date;
}

/** The query parameters of a list, for its description. */
export function describeList(
  resource: QueryableResource,
  accepted: AcceptedParameters,
): ApiParameter[] {
  const rejected = rejectedNames(resource, accepted);
  const columns = resource.columns.map(describeColumn);
  return [...columns, ...describeOthers(resource)].filter(({ name }) => !rejected.includes(name));
}

function describeColumn({ name, type, example }: QueryColumn): ApiParameter {
  const operators = operatorsOf(type).map((operator) => `\`${operator}\``);
  const description =
    `A filter: an operator and ${COLUMN_TYPES[type].description}. The operators are ${operators.join(', ')}; ` +
    '`not.` before one negates it. Without an operator, `eq` is meant.';
  const value = example === undefined ? undefined : `eq.${example}`;
  return { in: 'query', name, description, schema: TEXT_PARAMETER, example: value };
}

function describeOthers({ columns, unique }: QueryableResource): ApiParameter[] {
  const [first, second] = columns.filter(({ name }) => name !== unique.name);
  const conditions = `(${unique.name}.gte.1,${first!.name}.not.is.null)`;
  const names = Object.fromEntries(GROUP_NAMES.map((name) => [name, conditions]));
  const examples: Record<string, unknown> = {
    ...names,
    select: [unique.name, first!.name, `other:${second!.name}`].join(','),
    order: `${second!.name}.desc.nullslast,${first!.name}`,
    limit: 25,
    offset: 0,
    q: String(first!.example ?? ''),
  };
  return Object.entries(DESCRIPTIONS).map(([name, description]) => ({
    in: 'query',
    name,
    description,
    schema: NUMBERS.has(name) ? COUNT : TEXT_PARAMETER,
    example: examples[name],
  }));
}

/** For lists without other parameters. */
export class NoOptions {}

/**
 * Parses the query parameters of a list: a list query, and the members of an options class. The last
 * thousand queries are cached, because the same ones are sent again and again.
 */
export class ListParametersParser<Options extends object> {
  private readonly cache = new Map<string, ListQuery>();
  private readonly optionNames: string[];
  private readonly rejected: string[];
  private readonly emptyQuery: ListQuery;
  private readonly hasRequired: boolean;

  constructor(
    private readonly resource: QueryableResource,
    private readonly optionsClass: DtoClass<Options>,
    accepted: AcceptedParameters,
  ) {
    this.optionNames = memberNamesOf(optionsClass);
    this.rejected = rejectedNames(resource, accepted);
    this.emptyQuery = parseListQuery({}, resource, this.optionNames);
    this.hasRequired = toDto(optionsClass, {}).issues.length > 0;
  }

  /** @throws {ProblemError} `invalid_parameter` or `unknown_parameter` with all issues. */
  parse(parameters: QueryParameters): { options: Options; query: ListQuery } {
    if (isEmpty(parameters) && !this.hasRequired)
      return { options: new this.optionsClass(), query: this.emptyQuery };
    const { own, others } = this.split(parameters);
    const { dto, issues: optionIssues } = toDto(this.optionsClass, own);
    const issues: ParameterIssue[] = optionIssues.map(({ pointer, detail }) => ({
      parameter: pointer.slice(2),
      detail,
    }));
    const query = collectIssues(issues, () => this.parseQuery(others));
    for (const parameter of this.rejected.filter((name) => isSent(others, name))) {
      issues.push({ parameter, detail: 'is not possible here' });
    }
    if (issues.length) throw invalidParameters(issues);
    return { options: dto, query: query! };
  }

  private parseQuery(parameters: QueryParameters): ListQuery {
    const key = JSON.stringify(parameters);
    const cached = this.cache.get(key);
    if (cached) return cached;
    const query = parseListQuery(parameters, this.resource, this.optionNames);
    if (this.cache.size >= MAX_CACHED_QUERIES) this.cache.clear();
    this.cache.set(key, query);
    return query;
  }

  private split(parameters: QueryParameters) {
    // without a prototype, __proto__ is a name like any other
    const own = Object.create(null) as QueryParameters;
    const others = Object.create(null) as QueryParameters;
    for (const [name, value] of Object.entries(parameters)) {
      (this.optionNames.includes(name) ? own : others)[name] = value;
    }
    return { own, others };
  }
}

/** The name of a column may be in quotes. */
function isSent(parameters: QueryParameters, name: string): boolean {
  return parameters[name] !== undefined || parameters[`"${name}"`] !== undefined;
}

function rejectedNames({ columns }: QueryableResource, accepted: AcceptedParameters): string[] {
  if (accepted === 'all') return [];
  if (accepted === 'conditions')
    return ['select', ...PAGE_PARAMETERS.filter((name) => name !== 'q')];
  if (accepted === 'selection') return ['after', 'having', 'q'];
  return [...PAGE_PARAMETERS, ...columns.map(({ name }) => name), ...GROUP_NAMES];
}

function collectIssues<T>(issues: ParameterIssue[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof InvalidQueryError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}

function isEmpty(parameters: object): boolean {
  for (const _ in parameters) return false;
  return true;
}
