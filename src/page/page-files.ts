import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { addCompressed } from '../http/compression.js';
import { findUpwards } from '../http/package-files.js';

const FOLDER = 'dist/page';
/** The content codings that the build made, by the extension that it added. */
const CODINGS = { '.br': 'br', '.gz': 'gzip' };
const MEDIA_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.csv': 'text/csv; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

export interface PageFile {
  bytes: Buffer;
  mediaType: string;
}

/** Reads the files of the built page, by their path below it. It has none if the page was not built. */
export async function readPageFiles(): Promise<Map<string, PageFile>> {
  const folder = findUpwards(FOLDER, import.meta.dirname);
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : [];
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const mediaType = MEDIA_TYPES[extname(name)];
    if (mediaType) files.set(name, { mediaType, bytes: await readCompressed(join(folder, name)) });
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
