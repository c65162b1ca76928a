import { signal } from '@preact/signals';
import { shownColumns, type GridColumn } from './columns.ts';
import { rowHeight } from './layout.ts';
import { Scroll } from './scroll.ts';

/** The active cell: the grid has the focus, and names it (https://www.w3.org/WAI/ARIA/apg/patterns/grid/). */
export const active = signal({ index: 0, column: firstTextColumn() });
/** The distance of the sight from the first row, in pixels. */
export const top = signal(0);
export const scroll = new Scroll(rowHeight());

/** Makes a cell active, and scrolls to it. */
export type Move = (index: number, column: number) => void;

export function cellId(index: number, column: number): string {
  return `cell-${index}-${column}`;
}

export function columnAt(index: number): GridColumn {
  return shownColumns.peek()[index]!;
}

function firstTextColumn(): number {
  return shownColumns.peek().findIndex((column) => column !== 'chosen' && column !== 'id');
}
