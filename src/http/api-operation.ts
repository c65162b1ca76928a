import type { ApiContent, ApiOperation, ApiParameter } from './api-types.js';
import type { Schema } from './dto-metadata.js';
import { rulesOf } from './route-rules.js';

const namedSchemas = new Map<string, Schema>();

/** Describes a route for `/openapi.json`. */
export const Describes =
  (operation: ApiOperation): MethodDecorator =>
  (_target, _name, { value }) =>
    void (rulesOf(value as object).operation = operation);

/** Gives a schema a name in the description, and returns a reference to it. */
export function namedSchema(name: string, schema: Schema): Schema {
  namedSchemas.set(name, schema);
  return { $ref: `#/components/schemas/${name}` };
}

/** All named schemas. */
export function allNamedSchemas(): Record<string, Schema> {
  return Object.fromEntries(namedSchemas);
}

/** A header of a request. */
export function headerParameter(
  name: string,
  description: string,
  example?: string,
  schema: Schema = { type: 'string' },
): ApiParameter {
  return { in: 'header', name, description, schema, example };
}

export function jsonContent(schema: Schema, example?: unknown): Record<string, ApiContent> {
  return { 'application/json': { schema, example } };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/** An object with these members, all of them required. */
export function objectOf(properties: Record<string, Schema>, description?: string): Schema {
  return { type: 'object', description, properties, required: Object.keys(properties) };
}

export const COUNT: Schema = { type: 'integer', minimum: 0 };
export const TIME: Schema = { type: 'string', format: 'date-time' };
export const TIME_OR_NULL: Schema = { type: ['string', 'null'], format: 'date-time' };
export const TEXT_OR_NULL: Schema = { type: ['string', 'null'] };
