import { computed, effect, signal } from '@preact/signals';
import { send } from './api.ts';
import { withKey } from './keys.ts';
import { rows } from './list.ts';
import { texts } from './texts.ts';
import type { Marathon } from './types.ts';
import { listKey, view } from './view.ts';

/** The service takes lists of as many ids. */
const MAX_IDS = 1000;

interface Choice {
  /** Whether all rows of the list are chosen, besides those with these ids; else those with these ids. */
  isAll: boolean;
  ids: ReadonlySet<number>;
}

const NONE: Choice = { isAll: false, ids: new Set() };

/** The marathons that are chosen to be changed or deleted together. */
export const choice = signal(NONE);
export const chosenCount = computed(() => {
  const { isAll, ids } = choice.value;
  return isAll ? (rows.value.total.value ?? 0) - ids.size : ids.size;
});

/** Another list has other rows. */
effect(() => {
  void listKey.value;
  choice.value = NONE;
});

export function isChosen(id: number): boolean {
  const { isAll, ids } = choice.value;
  return ids.has(id) !== isAll;
}

export function toggle(id: number): void {
  const ids = new Set(choice.value.ids);
  if (!ids.delete(id)) ids.add(id);
  choice.value = { ...choice.value, ids };
}

/** Chooses the rows between two indexes, both of them included. Rows that are not loaded yet are left. */
export function chooseBetween(from: number, to: number): void {
  const ids = new Set(choice.value.isAll ? [] : choice.value.ids);
  for (let index = Math.min(from, to); index <= Math.max(from, to); index += 1) {
    const marathon = rows.peek().at(index);
    if (marathon) ids.add(marathon.id);
  }
  choice.value = { isAll: false, ids };
}

export function chooseAll(): void {
  choice.value = { isAll: true, ids: new Set() };
}

export function chooseNone(): void {
  choice.value = NONE;
}

/**
 * The parameters that select the chosen marathons.
 * @throws if they cannot be named in one request
 */
export async function chosenFilter(): Promise<string> {
  const { isAll, ids } = choice.peek();
  if (ids.size > MAX_IDS) throw new Error(texts.tooManyChosen(MAX_IDS));
  if (!isAll) return `id=in.(${[...ids].join()})`;
  const parameters = new URLSearchParams(view.peek().parameters);
  parameters.delete('order');
  if (ids.size) parameters.append('id', `not.in.(${[...ids].join()})`);
  if (parameters.has('q')) return `id=in.(${(await findIds(parameters)).join()})`;
  return parameters.size ? parameters.toString() : 'id=gt.0';
}

/** A search finds rows by their likeness, which a write does not take as a filter. */
async function findIds(parameters: URLSearchParams): Promise<number[]> {
  parameters.set('select', 'id');
  parameters.set('limit', String(MAX_IDS + 1));
  const address = `/marathon/?${parameters.toString()}`;
  const { body } = await withKey(async () => send<{ marathon_list: Marathon[] }>(address));
  if (body.marathon_list.length > MAX_IDS) throw new Error(texts.tooManyFound(MAX_IDS));
  return body.marathon_list.map(({ id }) => id);
}
