/** A request below `/rest/v1/marathon`, as Supabase's clients send it. */
export interface FeatureRequest {
  method: string;
  /** What follows `/rest/v1/marathon`. */
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What is expected of an answer; absent members are not checked. */
export interface FeatureAnswer {
  status: number;
  /** The ids of the rows, in order. */
  ids?: number[];
  body?: unknown;
  headers?: Record<string, string | RegExp | null>;
  /** The ids of all marathons after the request. */
  stored?: number[];
}

/** A feature of PostgREST for one table, and how this service compares. */
export interface Feature {
  feature: string;
  outcome: 'same' | 'different' | 'absent';
  /** Why it is different or absent. */
  why?: string;
  request: FeatureRequest;
  answer: FeatureAnswer;
}

export interface Section {
  title: string;
  /** The page of PostgREST's documentation. */
  page: string;
  features: Feature[];
}

/** The marathons that every request finds. */
export const ROWS = [
  { id: 1, name: 'Boston Marathon', city: 'Boston', inception_year: 1897 },
  { id: 2, name: 'Berlin-Marathon', city: 'Berlin', inception_year: 1974 },
  { id: 3, name: 'Paris, by night', city: 'Paris', inception_year: 1976 },
  { id: 4, name: 'Zürich (lake) Marathon', city: 'Zürich', inception_year: 2003 },
  { id: 5, name: 'The "Unknown" Run', city: null, inception_year: null },
];

export function same(feature: string, request: FeatureRequest, answer: FeatureAnswer): Feature {
  return { feature, outcome: 'same', request, answer };
}

export function different(
  feature: string,
  why: string,
  request: FeatureRequest,
  answer: FeatureAnswer,
): Feature {
  return { feature, outcome: 'different', why, request, answer };
}

export function absent(
  feature: string,
  why: string,
  request: FeatureRequest,
  answer: FeatureAnswer,
): Feature {
  return { feature, outcome: 'absent', why, request, answer };
}

export function get(query: string, headers: Record<string, string> = {}): FeatureRequest {
  return { method: 'GET', path: `?${query}`, headers };
}

/** A request with a JSON body, or with a text of another type. */
export function send(
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): FeatureRequest {
  const type = { 'Content-Type': 'application/json' };
  return { method, path, body, headers: { ...type, ...headers } };
}

export function prefer(...preferences: string[]): Record<string, string> {
  return { Prefer: preferences.join(', ') };
}

export function ids(...expected: number[]): FeatureAnswer {
  return { status: 200, ids: expected };
}

export function rejected(code: string, status = 400): FeatureAnswer {
  return { status, body: { code } };
}
