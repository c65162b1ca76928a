const counts = new Intl.NumberFormat('en');
const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Years are never written like this: 2,021 is no year. */
export function formatCount(count: number): string {
  return counts.format(count);
}

export function formatTime(time: string): string {
  return times.format(new Date(time));
}
