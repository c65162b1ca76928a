import { signal } from '@preact/signals';
import { messageOf } from './api.ts';
import { refreshSoon } from './list.ts';
import { texts } from './texts.ts';

const MAX_UNDO = 100;

export const notice = signal<{ text: string; canUndo: boolean } | undefined>(undefined);

/** What undoes the writes of this page, the last one at the end. */
const undoings: (() => Promise<void>)[] = [];

/** Says what was done, and remembers how it is undone. */
export function remember(text: string, revert: () => Promise<void>): void {
  undoings.push(revert);
  if (undoings.length > MAX_UNDO) undoings.shift();
  notice.value = { text, canUndo: true };
}

/** Undoes what was done last on this page. */
export async function undo(): Promise<void> {
  const undoLast = undoings.pop();
  if (!undoLast) return;
  try {
    await undoLast();
    refreshSoon();
    say(texts.undone);
  } catch (error) {
    say(messageOf(error));
  }
}

export function say(text: string): void {
  notice.value = { text, canUndo: undoings.length > 0 };
}

/** Does work whose failure is shown as a notice. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    notice.value = { text: messageOf(error), canUndo: false };
  }
}
