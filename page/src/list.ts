import { effect, signal } from '@preact/signals';
import { AwayError } from './api.ts';
import { followChanges } from './live.ts';
import { Rows } from './rows.ts';
import type { Change } from './types.ts';
import { listKey, view } from './view.ts';

const REFRESH_AFTER_MS = 200;
const RETRY_MS = 1000;

/** The rows of the view. */
export const rows = signal(new Rows(view.peek().parameters));
/** The rows in sight, from the first to the last one. */
export const range = signal({ first: 0, last: 30 });
/** What is wrong with the parameters of the view. */
export const refusal = signal<string | undefined>(undefined);
/** By how many rows the rows in sight moved when they were fetched again. */
export const moved = signal(0);
/** Rises with every change in the registry. */
export const lastSeq = signal(0);

let refreshTimer: ReturnType<typeof setTimeout> | undefined;
let refreshMs = 0;
let isFollowing = false;

/** Shows the list of the view, whenever it changes. */
export function startList(): void {
  effect(() => {
    void listKey.value;
    rows.peek().close();
    rows.value = new Rows(view.peek().parameters);
    refusal.value = undefined;
  });
  effect(() => {
    const { first, last } = range.value;
    void fetchRange(rows.value, first, last);
  });
}

/** An attempt follows another one until the service answers. */
async function fetchRange(source: Rows, first: number, last: number): Promise<void> {
  try {
    await source.fetch(first, last);
    if (source.seq !== undefined) follow(source.seq);
  } catch (error) {
    if (source !== rows.peek()) return;
    if (error instanceof AwayError) setTimeout(() => void fetchAgain(source), RETRY_MS);
    else refusal.value = (error as Error).message;
  }
}

async function fetchAgain(source: Rows): Promise<void> {
  const { first, last } = range.peek();
  if (source === rows.peek()) await fetchRange(source, first, last);
}

function follow(seq: number): void {
  if (isFollowing) return;
  isFollowing = true;
  lastSeq.value = seq;
  followChanges(seq, receive);
}

function receive(change: Change): void {
  lastSeq.value = change.seq;
  if (view.peek().parameters.has('as_of')) return;
  rows.peek().apply(change);
  refreshSoon();
}

/** Fetches the rows in sight again. Many changes cause few requests, the fewer the longer one takes. */
export function refreshSoon(): void {
  refreshTimer ??= setTimeout(() => void refresh(), Math.max(REFRESH_AFTER_MS, 3 * refreshMs));
}

async function refresh(): Promise<void> {
  refreshTimer = undefined;
  const startedAt = performance.now();
  const { first, last } = range.peek();
  const source = rows.peek();
  const read = source.at(first)?.id;
  try {
    await source.refresh(first, last);
    const index = read === undefined ? undefined : source.indexOf(read);
    // what one reads stays where it is; at the top, one wants to see what is new
    if (first && index !== undefined && index !== first) moved.value = index - first;
  } catch (error) {
    if (error instanceof AwayError) setTimeout(refreshSoon, RETRY_MS);
  }
  refreshMs = performance.now() - startedAt;
}
