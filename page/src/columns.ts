import { computed } from '@preact/signals';
import { COLUMNS, type Column } from './types.ts';
import { changeLayout, view } from './view.ts';

/** `chosen` has the checkboxes. */
export type GridColumn = 'chosen' | 'id' | Column;

/** The columns that can be hidden. */
export const HIDEABLE: GridColumn[] = ['id', ...COLUMNS];
const MIN_WIDTH = 64;
const MAX_WIDTH = 1200;
const WIDTHS: Record<GridColumn, string> = {
  chosen: '40px',
  id: '88px',
  name: 'minmax(180px, 3fr)',
  city: 'minmax(120px, 2fr)',
  inception_year: '132px',
};

export const shownColumns = computed<GridColumn[]>(() => [
  'chosen',
  ...HIDEABLE.filter((column) => !view.value.hidden.includes(column)),
]);

/** The columns of the grid, for CSS. A width that was chosen stays; the other columns share the rest. */
export const gridTemplate = computed(() => {
  const { widths } = view.value;
  return shownColumns.value
    .map((column) => (widths[column] ? `${widths[column]}px` : WIDTHS[column]))
    .join(' ');
});

/** Whether people write a column. */
export function isColumn(name: string): name is Column {
  return COLUMNS.includes(name as Column);
}

/** The last column that is shown stays. */
export function toggleColumn(column: GridColumn): void {
  const { hidden } = view.value;
  const next = hidden.includes(column)
    ? hidden.filter((each) => each !== column)
    : [...hidden, column];
  if (HIDEABLE.some((each) => !next.includes(each))) changeLayout({ hidden: next });
}

export function widen(column: GridColumn, width: number): void {
  const rounded = Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)));
  changeLayout({ widths: { ...view.value.widths, [column]: rounded } });
}

/** Gives a column the width that it had at first. */
export function resetWidth(column: GridColumn): void {
  const { [column]: _, ...widths } = view.value.widths as Record<string, number>;
  changeLayout({ widths });
}
