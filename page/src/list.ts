import { effect, signal } from '@preact/signals';
import { messageOf, UnavailableError, untilAnswered } from './api.ts';
import { isKeyNeeded, withKey } from './keys.ts';
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
export const refusal = signal<Refusal | undefined>(undefined);
/** By how many rows the rows in sight moved when they were fetched again. */
export const moved = signal(0);
/** The number of the last change that arrived; 0 before the first. */
export const lastSeq = signal(0);

interface Refusal {
  text: string;
  isKeyNeeded: boolean;
}

let refreshTimer: ReturnType<typeof setTimeout> | undefined;
let refreshMs = 0;
let isFollowing = false;

/** Fetches the list again, after a key was missing. */
export function retry(): void {
  refusal.value = undefined;
  rows.value = new Rows(view.peek().parameters);
}

/** Shows the list of the view, whenever it changes. */
export function startList(): void {
  effect(() => {
    void listKey.value;
    rows.peek().close();
    rows.value = new Rows(view.peek().parameters);
    refusal.value = undefined;
  });
  effect(() => {
    void range.value;
    void fetchVisible(rows.value);
  });
}

/** What is visible may be other rows when the service answers again. */
async function fetchVisible(source: Rows): Promise<void> {
  try {
    const fetch = async () => source.fetch(range.peek().first, range.peek().last);
    await untilAnswered(async () => withKey(fetch));
    if (source.seq !== undefined) follow(source.seq);
  } catch (error) {
    if (source === rows.peek())
      refusal.value = { text: messageOf(error), isKeyNeeded: isKeyNeeded(error) };
  }
}

function follow(seq: number): void {
  if (isFollowing) return;
  isFollowing = true;
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
    if (error instanceof UnavailableError) setTimeout(refreshSoon, RETRY_MS);
  }
  refreshMs = performance.now() - startedAt;
}
