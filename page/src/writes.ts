import { send, untilAnswered, type Answer } from './api.ts';
import { withKey } from './keys.ts';
import { refreshSoon, rows } from './list.ts';
import { remember } from './notices.ts';
import type { Marathon } from './types.ts';

/** The header with the changes of a write of many. */
export const CHANGES = 'change-range';
/** The versions of as many are followed when many are undone. */
const MAX_FOLLOWED = 1000;

/** The version that has the values of an earlier one, since something was undone, by id and earlier version. */
const sameAs = new Map<string, number>();

/** Sends a write until the service answers. An Idempotency-Key makes it happen once. */
export async function write<Body>(
  address: string,
  options: Parameters<typeof send>[1] & object,
): Promise<Answer<Body>> {
  const idempotencyKey = `"${crypto.getRandomValues(new Uint32Array(4)).join('-')}"`;
  const headers = { ...options.headers, 'Idempotency-Key': idempotencyKey };
  const work = async () => send<Body>(address, { ...options, headers });
  return untilAnswered(async () => withKey(work, { isWrite: true }));
}

/** The version that has the values of `version` now, after what was undone. */
export function latestOf(id: number, version: number): number {
  const later = sameAs.get(`${id}/${version}`);
  return later === undefined ? version : latestOf(id, later);
}

export function noteSame(id: number, version: number, later: number): void {
  sameAs.set(`${id}/${version}`, later);
}

/** Says that many were written, and remembers how their changes are undone. `changes` is the header `CHANGES`. */
export function rememberMany(text: string, changes: string | null, count: number): void {
  refreshSoon();
  if (changes) remember(text, async () => undoMany(changes, count));
}

async function undoMany(changes: string, count: number): Promise<void> {
  const isFollowed = count <= MAX_FOLLOWED;
  const prefer = [`max-affected=${count}`, isFollowed ? 'return=representation' : ''];
  const { body } = await write<{ marathon_list?: Marathon[] }>(
    `/marathon/restore?changes=${changes}&select=*,version`,
    { method: 'POST', headers: { Prefer: prefer.filter(Boolean).join(', ') } },
  );
  for (const marathon of body.marathon_list ?? []) {
    // one version for the change, and one for its undo
    noteSame(marathon.id, marathon.version - 2, marathon.version);
    rows.peek().replace(marathon);
  }
}
