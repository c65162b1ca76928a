import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenApiDocument } from '../../src/documentation/openapi.js';

type Json = Record<string, unknown>;

export interface Parameter {
  in: 'path' | 'query' | 'header';
  name: string;
  required: boolean;
  description?: string;
  schema: { enum?: string[]; examples?: (string | number)[] };
  example?: string | number;
}

export interface Content {
  schema: Json;
  example?: unknown;
}

/** An operation of the document, with its address. */
export interface Operation {
  method: string;
  path: string;
  operationId: string;
  'x-role': string;
  parameters: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { content?: Record<string, Content>; headers?: Json }>;
}

/** A request to the service. */
export interface ApiRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}

export function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => ({ method, path, ...operation }) as Operation,
    ),
  );
}

/** The value that the document shows for a parameter; undefined without one. */
export function exampleOf({ example, schema }: Parameter): string | undefined {
  const value = example ?? schema.examples?.[0] ?? schema.enum?.[0];
  return value === undefined ? undefined : String(value);
}

/** Checks answers against the document. */
export class AnswerChecker {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: false });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    addFormats.default(this.ajv);
    this.ajv.addSchema({ $id: 'api', ...document });
  }

  /** What is wrong with an answer; undefined if it is as documented. */
  findIssue(operation: Operation, status: number, mediaType: string, text: string) {
    const response = operation.responses[status];
    if (!response) return `the status ${status} is not documented`;
    if (!response.content || !text) return undefined;
    const content = response.content[mediaType];
    if (!content) return `${status} ${mediaType} is not documented`;
    if (!mediaType.includes('json') || mediaType.includes('ndjson')) return undefined;
    return this.findSchemaIssue(content.schema, JSON.parse(text));
  }

  /** What is wrong with a value. */
  findSchemaIssue(schema: Json, value: unknown): string | undefined {
    const key = JSON.stringify(schema);
    const validate = this.validators.get(key) ?? this.compile(key);
    this.validators.set(key, validate);
    return validate(value) ? undefined : this.ajv.errorsText(validate.errors);
  }

  private compile(schema: string): ValidateFunction {
    return this.ajv.compile(JSON.parse(schema.replaceAll('"#/', '"api#/')) as object);
  }
}
