import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { SingleBar } from 'cli-progress';
import { didYouMean } from './did-you-mean.js';
import type { RowsBody } from './http/rows-body.js';
import type { MarathonFiles } from './marathon/marathon.files.js';
import { RowsRejected } from './transfer/rejections.js';

const MEDIA_TYPES: Record<string, string> = {
  '.csv': 'text/csv',
  '.tsv': 'text/csv',
  '.txt': 'text/csv',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
  '.json': 'application/json',
};

const LOOK_MS = 100;

const RESOLUTIONS = { merge: 'merge-duplicates', ignore: 'ignore-duplicates' } as const;

/** The command was not one of ours. */
export class Misused extends Error {}

/** What the words after `import` ask for. */
export interface ImportOrder {
  path: string;
  mediaType: string;
  resolution?: (typeof RESOLUTIONS)[keyof typeof RESOLUTIONS];
  isRehearsal: boolean;
}

/** @throws {Misused} where a word means nothing. */
export function readImportOrder(
  path: string | undefined,
  isRehearsal: boolean,
  duplicates: string | undefined,
): ImportOrder {
  if (!path) throw new Misused('Name the file to import.');
  const mediaType = MEDIA_TYPES[extname(path).toLowerCase()];
  if (mediaType) return { path, mediaType, resolution: readResolution(duplicates), isRehearsal };
  throw new Misused(`The file's name has to end in ${Object.keys(MEDIA_TYPES).join(', ')}.`);
}

/** Imports a file, with a progress bar where a person is looking. */
export async function importFile(files: MarathonFiles, order: ImportOrder): Promise<void> {
  const { path, mediaType, resolution, isRehearsal } = order;
  const { size } = await stat(path);
  const bar = new SingleBar({ format: '{bar} {percentage}% | {step}', noTTYOutput: false });
  const file = readable(path, mediaType);
  if (process.stderr.isTTY) bar.start(size, 0, { step: 'reading' });
  const look = setInterval(() => {
    const { bytesRead } = file;
    bar.update(bytesRead, { step: bytesRead < size ? 'reading' : 'storing' });
  }, LOOK_MS);
  try {
    const { inserted, updated, skipped } = await files.import(file, resolution, { isRehearsal });
    bar.update(size);
    bar.stop();
    const counts = [`${inserted} marathons imported`];
    if (resolution) counts.push(`${updated} updated`, `${skipped} left as they were`);
    console.log(`${counts.join(', ')}${isRehearsal ? ': a rehearsal, nothing was stored' : ''}.`);
  } finally {
    clearInterval(look);
    bar.stop();
  }
}

/** Tells each rejected row by its line. */
export function tellRejected({ rows, count }: RowsRejected): void {
  for (const { line, faults } of rows) {
    const reasons = faults.map(({ pointer, detail }) => `${pointer.slice(2)} ${detail}`.trim());
    console.error(`line ${line}: ${reasons.join('; ')}`);
  }
  if (count > rows.length) console.error(`and ${count - rows.length} more`);
}

/** A file of the user's own, which stays where it is; nobody sends it twice under one key. */
function readable(path: string, mediaType: string): RowsBody & { bytesRead: number } {
  let current: ReadStream | undefined;
  return {
    mediaType,
    fingerprint: path,
    open: () => (current = createReadStream(path)),
    discard: async () => undefined,
    get bytesRead() {
      return current?.bytesRead ?? 0;
    },
  };
}

function readResolution(word: string | undefined) {
  if (word === undefined) return undefined;
  if (word === 'merge' || word === 'ignore') return RESOLUTIONS[word];
  throw new Misused(
    `--duplicates ${word} means nothing: ${didYouMean(word, Object.keys(RESOLUTIONS))}`,
  );
}
