import { shownColumns } from './columns.ts';
import { edit, valueOf, type Cell } from './edits.ts';
import { planCells, type CellRow } from './import.ts';
import { rows } from './list.ts';
import { say } from './notices.ts';
import { texts } from './texts.ts';
import type { Column } from './types.ts';
import { isPast } from './view.ts';

/** As many rows are pasted at once. */
const MAX_PASTED = 1000;

/**
 * Pastes cells of a spreadsheet, from a cell on. What they would change is shown first. A single cell is
 * edited. Cells below the last row become new marathons.
 */
export async function pasteCells(text: string, { index, column }: Cell): Promise<void> {
  if (isPast.value) {
    say(texts.pastIsFixed);
    return;
  }
  const lines = parseCells(text).slice(0, MAX_PASTED);
  const [first] = lines;
  const marathon = rows.peek().at(index);
  if (lines.length === 1 && first!.length === 1 && marathon) {
    edit({ index, column }, marathon, first![0]);
    return;
  }
  await rows.peek().fetch(index, index + lines.length);
  const columns = shownColumns.peek().slice(shownColumns.peek().indexOf(column)) as Column[];
  planCells(lines.map((cells, line) => rowOf(index + line, columns, cells)));
}

function rowOf(index: number, columns: Column[], cells: string[]): CellRow {
  const values = columns.flatMap((column, position) =>
    cells[position] === undefined ? [] : [[column, valueOf(column, cells[position])]],
  );
  const { id, name } = rows.peek().at(index) ?? {};
  return { ...(id === undefined ? {} : { id, name }), ...Object.fromEntries(values) };
}

/** Cells as spreadsheets copy them: tabs between, quotes around what has line breaks, a line break at the end. */
export function parseCells(text: string): string[][] {
  const lines: string[][] = [[]];
  const cell = /("(?:[^"]|"")*"|[^\t\r\n]*)(\t|\r\n|\r|\n|$)/y;
  while (cell.lastIndex < text.length) {
    const [, value = '', end] = cell.exec(text) ?? [];
    if (end === undefined) break;
    lines.at(-1)!.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end !== '\t' && cell.lastIndex < text.length) lines.push([]);
  }
  return lines;
}
