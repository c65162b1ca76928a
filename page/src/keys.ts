import { signal } from '@preact/signals';
import { RefusedError } from './api.ts';

/** A request waits for a key: the page asks for one, and calls `answer` then. */
export const keyRequest = signal<KeyRequest | undefined>(undefined);

interface KeyRequest {
  isWrite: boolean;
  answer: (hasKey: boolean) => void;
}

let asked: Promise<boolean> | undefined;

/** Repeats work when a key was given that it needs. Works that wait together ask for one key. */
export async function withKey<Result>(
  work: () => Promise<Result>,
  { isWrite = false } = {},
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isKeyNeeded(error)) throw error;
    asked ??= askForKey(isWrite).finally(() => (asked = undefined));
    if (!(await asked)) throw error;
    return withKey(work, { isWrite });
  }
}

export function isKeyNeeded(error: unknown): boolean {
  return error instanceof RefusedError && error.problem.status === 401;
}

async function askForKey(isWrite: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (hasKey: boolean) => {
      keyRequest.value = undefined;
      resolve(hasKey);
    };
    keyRequest.value = { isWrite, answer };
  });
}
