import { signal } from '@preact/signals';
import type { Problem } from './types.ts';

const KEY = 'api-key';
const RETRY_MS = 1000;

/** Whether the last request reached the service. */
export const isUnavailable = signal(false);

/** The service refused a request. */
export class RefusedError extends Error {
  constructor(
    readonly problem: Problem,
    readonly etag: number | undefined,
  ) {
    super(problem.detail);
  }
}

/** The service, or its database, does not answer. */
export class UnavailableError extends Error {}

export interface Answer<Body> {
  body: Body;
  headers: Headers;
}

export interface Request {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** A body that is sent as it is. */
  file?: Blob;
  /** Whether the answer is text, and not JSON. */
  isText?: boolean;
}

/**
 * Sends a request.
 * @throws {RefusedError} with the problem document, `UnavailableError` if the service does not answer
 */
export async function send<Body>(path: string, request: Request = {}): Promise<Answer<Body>> {
  const response = await fetchAnswer(path, request);
  isUnavailable.value = response.status === 503;
  if (response.status === 503) throw new UnavailableError();
  const text = await response.text();
  if (!response.ok)
    throw new RefusedError(parseProblem(text, response.status), versionOf(response));
  const body = request.isText ? text : text ? (JSON.parse(text) as Body) : undefined;
  return { body: body as Body, headers: response.headers };
}

/** Repeats work every second until the service answers. */
export async function untilAnswered<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
    }
  }
}

/** Opens an answer without an end. @throws as `send` */
export async function openStream(
  path: string,
  headers: Record<string, string>,
): Promise<ReadableStream<Uint8Array>> {
  const response = await fetchAnswer(path, { headers });
  if (!response.ok || !response.body) throw new UnavailableError();
  return response.body;
}

async function fetchAnswer(
  path: string,
  { method, body, file, headers, signal: aborted }: Request,
) {
  const all = {
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...authorization(),
    ...headers,
  };
  try {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return await fetch(path, { method, headers: all, body: file ?? text, signal: aborted });
  } catch (error) {
    if (aborted?.aborted) throw error;
    isUnavailable.value = true;
    throw new UnavailableError();
  }
}

/** A proxy may answer in its own words. */
function parseProblem(text: string, status: number): Problem {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return { type: '', title: '', code: 'internal_error', status, detail: `HTTP ${status}` };
  }
}

function versionOf({ headers }: Response): number | undefined {
  return numberOf(headers.get('etag'));
}

/** The number in an entity tag, as in `"12"` or `"12-br"`. */
export function numberOf(etag: string | null): number | undefined {
  const digits = /^(?:W\/)?"(\d+)/.exec(etag ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The key is kept until the tab is closed. */
export function keepKey(key: string): void {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

/** The header with the key, if there is one. */
export function authorization(): Record<string, string> {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** What a failure means for the person who caused it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof RefusedError)) return (error as Error).message;
  const { errors, detail } = error.problem;
  return errors?.map((each) => each.detail).join('; ') || detail;
}
