import { validateSync, type ValidationError } from 'class-validator';
import { ProblemError } from '../problems/problems.js';
import {
  chooseMembers,
  parseColumnMappings,
  type ColumnMapping,
} from '../query/column-mappings.js';
import { ParseError } from '../query/errors.js';
import type { QueryParameters } from '../query/parameters.js';
import { suggest } from '../query/suggest.js';
import { queryParametersOf } from './api-parameters.js';
import { describeDto, memberNamesOf, type DtoClass } from './dto-metadata.js';
import { satisfiesRules } from './fast-validation.js';
import { fromQuery, fromRequest } from './from-request.js';
import { UploadedRows } from './upload.js';

/** What is wrong with one member. */
export interface ValidationIssue {
  /** RFC 6901, as a URI fragment. */
  pointer: string;
  detail: string;
}

type Members = Record<string, unknown>;

/**
 * Gives a handler the body as an instance of `dtoClass`. It replaces Nest's ValidationPipe, which
 * accepts arrays and members such as `toString`.
 * @throws {ProblemError} `invalid_body` with all issues, `missing_body` without a body.
 */
export const ValidatedBody = (dtoClass: DtoClass) =>
  fromRequest(({ body }) => validateBody(dtoClass, body));

/**
 * As `ValidatedBody`, with the members that the parameter `columns` names, if it is sent. A body with many
 * rows is passed on unread, as `UploadedRows`.
 */
export const ValidatedBodyOrRows = (dtoClass: DtoClass) =>
  fromRequest(({ body, query }) => {
    if (body instanceof UploadedRows) return body;
    const { columns } = query as QueryParameters;
    if (typeof columns !== 'string' || !isObject(body)) return validateBody(dtoClass, body, body);
    const mappings = parseColumns(columns, memberNamesOf(dtoClass));
    return validateBody(dtoClass, chooseMembers(body, mappings), body);
  });

/** @throws {ProblemError} `invalid_parameter` if `columns` cannot be parsed. */
export function parseColumns(columns: string, known: string[]): ColumnMapping[] {
  try {
    return parseColumnMappings(columns, known);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const position = error.index === undefined ? undefined : error.index + 1;
    throw invalidParameters([{ parameter: 'columns', detail: error.message, position }]);
  }
}

/**
 * Gives a handler the query parameters as an instance of `dtoClass`.
 * @throws {ProblemError} `invalid_parameter` or `unknown_parameter` with all issues.
 */
export const ValidatedQuery = (dtoClass: DtoClass) =>
  fromQuery((query) => validateQuery(dtoClass, query), queryParametersOf(dtoClass));

/** `rows` is the body as it was sent, where many rows are accepted too. */
function validateBody(dtoClass: DtoClass, value: unknown, rows?: unknown): object {
  if (!isObject(value)) throw notAnObject(dtoClass, value);
  const { dto, issues } = toDto(dtoClass, value);
  if (!issues.length) return dto;
  rejectList(dtoClass, rows);
  const detail = issues.map((issue) => `${issue.pointer.slice(2)}: ${issue.detail}`).join('; ');
  throw new ProblemError('invalid_body', detail, { errors: issues });
}

/** Many services send and accept lists in an object. */
function rejectList(dtoClass: DtoClass, body: unknown): void {
  if (!isObject(body)) return;
  const known = memberNamesOf(dtoClass);
  const list = Object.keys(body).find((name) => !known.includes(name) && Array.isArray(body[name]));
  if (list === undefined) return;
  const kind = body.type === 'FeatureCollection' ? 'GeoJSON' : 'an object';
  throw new ProblemError(
    'invalid_upload',
    `The body is ${kind} with the list "${list}". Send its rows as an array of objects with the members ${known.join(', ')}.`,
  );
}

function validateQuery(dtoClass: DtoClass, query: Members): object {
  const { dto, issues } = toDto(dtoClass, query);
  if (!issues.length) return dto;
  throw invalidParameters(
    issues.map(({ pointer, ...issue }) => ({ parameter: pointer.slice(2), ...issue })),
  );
}

/** What is wrong with one query parameter; `position` counts its characters from 1. */
export interface ParameterIssue {
  parameter: string;
  detail: string;
  position?: number;
}

const UNKNOWN = 'is not known';

/** The problem of a request with invalid or unknown query parameters. */
export function invalidParameters(errors: ParameterIssue[]): ProblemError {
  const detail = errors.map((issue) => `${issue.parameter}: ${issue.detail}`).join('; ');
  const areUnknown = errors.every((issue) => issue.detail.startsWith(UNKNOWN));
  return new ProblemError(areUnknown ? 'unknown_parameter' : 'invalid_parameter', detail, {
    errors,
  });
}

/** Makes an instance of `dtoClass` from members, and finds everything that is wrong with them. */
export function toDto<T extends object>(
  dtoClass: DtoClass<T>,
  members: Members,
): { dto: T; issues: ValidationIssue[] } {
  const dto = new dtoClass();
  const { names: known, conversions } = describeDto(dtoClass);
  const unknown: string[] = [];
  for (const name of Object.keys(members)) {
    const conversion = conversions.get(name);
    if (!known.includes(name)) unknown.push(name);
    else (dto as Members)[name] = conversion ? conversion(members[name]) : members[name];
  }
  const issues =
    !known.length || satisfiesRules(dto)
      ? []
      : validateSync(dto, { stopAtFirstError: true }).map(toIssue);
  for (const name of unknown) issues.push(unknownMember(name, known));
  return { dto, issues };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !isArray(value);
}

function isArray(value: unknown): boolean {
  return Array.isArray(value) || value instanceof UploadedRows;
}

function notAnObject(dtoClass: DtoClass, value: unknown): ProblemError {
  const advice = `Send one JSON object with the members ${memberNamesOf(dtoClass).join(', ')}`;
  if (value === undefined) return new ProblemError('missing_body', `There is no body. ${advice}.`);
  const type = value === null ? 'null' : `of the type ${isArray(value) ? 'array' : typeof value}`;
  return new ProblemError('invalid_body', `${advice}: this is ${type}.`);
}

function toIssue({ property, constraints = {} }: ValidationError): ValidationIssue {
  return { pointer: pointerTo(property), detail: Object.values(constraints)[0] ?? 'is not valid' };
}

/** Whether the issue is that a member is not known. */
export function isUnknownMember({ detail }: ValidationIssue): boolean {
  return detail.startsWith(UNKNOWN);
}

function unknownMember(name: string, known: string[]): ValidationIssue {
  return { pointer: pointerTo(name), detail: `${UNKNOWN}: ${suggest(name, known)}` };
}

/** RFC 6901, section 3. */
function pointerTo(name: string): string {
  return `#/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
