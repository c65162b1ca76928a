let counts: Intl.NumberFormat | undefined;
let times: Intl.DateTimeFormat | undefined;

/** Years are never written like this: 2,021 is no year. */
export function formatCount(count: number): string {
  // making a format takes milliseconds, which the first view should not wait for
  counts ??= new Intl.NumberFormat('en');
  return counts.format(count);
}

export function formatTime(time: string): string {
  times ??= new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return times.format(new Date(time));
}
