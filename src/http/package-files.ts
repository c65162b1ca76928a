import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The path of a file of this package. The source and its build have different depths below it. */
export function findUpwards(file: string, folder: string): string {
  const path = join(folder, file);
  if (existsSync(path) || folder === dirname(folder)) return path;
  return findUpwards(file, dirname(folder));
}
