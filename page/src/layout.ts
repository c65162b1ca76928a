import { signal } from '@preact/signals';

/** As in `page.css`: there, rows are cards of two lines, and the panel comes from below. */
const NARROW = matchMedia('(max-width: 760px)');
const [ROW_HEIGHT, CARD_HEIGHT] = [36, 60];

export const isNarrow = signal(NARROW.matches);
/** Whether the pictures are shown on a narrow screen, where they hide the table. */
export const arePicturesOpen = signal(false);

NARROW.addEventListener('change', () => (isNarrow.value = NARROW.matches));

/** In pixels. */
export function rowHeight(): number {
  return isNarrow.value ? CARD_HEIGHT : ROW_HEIGHT;
}
