import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addCompressed } from '../http/compression.js';
import { findUpwards } from '../http/package-files.js';
import { mediaTypeOf } from '../http/static-body.js';

const FOLDER = 'dist/page';
/** The content codings that the build made, by the extension that it added. */
const CODINGS = { '.br': 'br', '.gz': 'gzip' };

/** Reads the files of the built page, by their path below it. There are none if the page was not built. */
export async function readPageFiles(): Promise<Map<string, Buffer>> {
  const folder = findUpwards(FOLDER, import.meta.dirname);
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : [];
  const files = new Map<string, Buffer>();
  for (const name of names.filter(mediaTypeOf)) {
    files.set(name, await readCompressed(join(folder, name)));
  }
  return files;
}

async function readCompressed(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  for (const [extension, coding] of Object.entries(CODINGS)) {
    if (existsSync(path + extension)) {
      addCompressed(bytes, coding, await readFile(path + extension));
    }
  }
  return bytes;
}
