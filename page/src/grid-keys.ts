import { addOne } from './form-dialog.tsx';
import { chooseAll, chooseBetween, chooseNone, chosenCount, toggle } from './chosen.ts';
import { isColumn, shownColumns } from './columns.ts';
import { edit, editor, remove } from './edits.ts';
import { active, columnAt, type Move } from './grid-cells.ts';
import { rows } from './list.ts';
import { attempt, undo } from './notices.ts';
import type { Marathon } from './types.ts';
import { select } from './view.ts';

interface GridSize {
  move: Move;
  /** The number of rows in sight. */
  page: number;
  count: number;
}

type Actions = Record<string, (() => void) | undefined>;

/** These characters are commands of the page, and begin no edit. */
const COMMANDS = new Set(['/', '?']);

/** Moves, edits and chooses by the keyboard: `help-dialog.tsx` lists the keys. */
export function handleKey(event: KeyboardEvent, size: GridSize): void {
  if (editor.value || event.target !== event.currentTarget) return;
  const marathon = rows.peek().at(active.peek().index);
  const isCommand = event.ctrlKey || event.metaKey;
  const action =
    (isCommand && commands()[event.key]) ||
    (event.shiftKey && choosing(size, marathon)[event.key]) ||
    moves(size, isCommand)[event.key] ||
    actions(marathon)[event.key];
  const isText = event.key.length === 1 && !isCommand && !event.altKey && !COMMANDS.has(event.key);
  if (action) action();
  else if (isText) begin(marathon, event.key);
  else return;
  event.preventDefault();
}

function moves({ move, page, count }: GridSize, isCommand: boolean): Actions {
  const { index, column } = active.value;
  const last = shownColumns.peek().length - 1;
  return {
    ArrowDown: () => move(index + 1, column),
    ArrowUp: () => move(index - 1, column),
    ArrowRight: () => move(index, column + 1),
    ArrowLeft: () => move(index, column - 1),
    PageDown: () => move(index + page, column),
    PageUp: () => move(index - page, column),
    Home: () => move(isCommand ? 0 : index, isCommand ? column : 0),
    End: () => move(isCommand ? count - 1 : index, isCommand ? column : last),
  };
}

function choosing({ move }: GridSize, marathon?: Marathon): Actions {
  const { index, column } = active.value;
  const extend = (step: number) => {
    chooseBetween(index, index + step);
    move(index + step, column);
  };
  return {
    ArrowDown: () => extend(1),
    ArrowUp: () => extend(-1),
    ' ': () => marathon && toggle(marathon.id),
  };
}

function commands(): Actions {
  return { z: () => void undo(), a: chooseAll };
}

function actions(marathon?: Marathon): Actions {
  const isBox = columnAt(active.peek().column) === 'chosen';
  const show = () => marathon && select(marathon.id);
  const choose = () => marathon && toggle(marathon.id);
  return {
    Enter: isBox ? choose : () => begin(marathon),
    F2: () => begin(marathon),
    Delete: () => marathon && void attempt(async () => remove(marathon)),
    ' ': isBox ? choose : show,
    Insert: addOne,
    Escape: () => (chosenCount.peek() ? chooseNone() : select(undefined)),
  };
}

function begin(marathon?: Marathon, text?: string): void {
  const { index, column } = active.peek();
  const name = columnAt(column);
  if (marathon && isColumn(name)) edit({ index, column: name }, marathon, text);
}
