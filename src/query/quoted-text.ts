/** Text in double quotes, in which a backslash escapes any character. */
export const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;

/** Removes the backslash escapes of a quoted text. */
export function unescapeQuoted(quoted: string): string {
  return quoted.replaceAll(/\\([^])/g, '$1');
}
