import { changeView } from './view.ts';

/** The end of a day of a date field, as in `2026-05-03`; undefined for today and later days. */
export function endOfDay(date: string): string | undefined {
  const end = new Date(`${date}T23:59:59.999`);
  return date && end.getTime() < Date.now() ? end.toISOString() : undefined;
}

/** The day of a time, as a date field has it. */
export function dayOf(time: string | null): string {
  if (!time || Number.isNaN(Date.parse(time))) return '';
  const date = new Date(time);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}

/** Shows the table as it was at the end of a day; without one, as it is. */
export function showDay(date: string): void {
  changeView({ as_of: endOfDay(date) ?? null });
}

export function showNow(): void {
  changeView({ as_of: null });
}
