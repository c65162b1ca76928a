import type { ProblemCode } from '../problems/problems.js';
import type { Schema } from './dto-metadata.js';

/** What a handler reads from a request: https://spec.openapis.org/oas/v3.1.0#parameter-object */
export interface ApiParameter {
  in: 'path' | 'query' | 'header';
  name: string;
  required?: boolean;
  description?: string;
  schema: Schema;
  example?: unknown;
}

/** A body in one media type: https://spec.openapis.org/oas/v3.1.0#media-type-object */
export interface ApiContent {
  schema: Schema;
  example?: unknown;
}

/** A successful answer. */
export interface ApiResponse {
  description: string;
  /** The names of its headers. */
  headers?: string[];
  /** By media type. */
  content?: Record<string, ApiContent>;
}

/** What a route is for and what it answers. Its parameters and its role are known from its handler. */
export interface ApiOperation {
  /** Unique in the API: the name of a method in generated clients. */
  id: string;
  tag: string;
  summary: string;
  description?: string;
  /** By status. */
  responses: Record<number, ApiResponse>;
  /** The body of the request, by media type. */
  body?: Record<string, ApiContent>;
  /** The problems of this route besides those of all routes of its kind. */
  problems?: ProblemCode[];
  /** Headers that are read from the request directly. */
  headers?: ApiParameter[];
  /** Whether it is answered without the database. */
  isLocal?: boolean;
}
