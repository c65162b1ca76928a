import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { RowSource } from '../http/upload.js';
import type { Resolution } from '../imports/merge.js';
import type { InvalidRowsError } from '../imports/row-errors.js';
import type { MarathonTransferService } from '../marathon/marathon-transfer.service.js';
import { suggest } from '../query/suggest.js';
import { UsageError } from './usage.js';

const MEDIA_TYPES: Record<string, string> = {
  '.csv': 'text/csv',
  '.tsv': 'text/csv',
  '.txt': 'text/csv',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
  '.json': 'application/json',
};

const PROGRESS_INTERVAL_MS = 100;

const RESOLUTIONS = { merge: 'merge-duplicates', ignore: 'ignore-duplicates' } as const;

/** The arguments of the command `import`. */
export interface ImportArguments {
  path: string;
  mediaType: string;
  resolution?: Resolution;
  dryRun: boolean;
}

/** @throws {UsageError} if an argument is missing or invalid. */
export function parseImportArguments(
  path: string | undefined,
  dryRun: boolean,
  duplicates: string | undefined,
): ImportArguments {
  if (!path) throw new UsageError('Name the file to import.');
  const mediaType = MEDIA_TYPES[extname(path).toLowerCase()];
  if (mediaType) return { path, mediaType, resolution: parseResolution(duplicates), dryRun };
  throw new UsageError(`The file's name must end in ${Object.keys(MEDIA_TYPES).join(', ')}.`);
}

/** Imports a file, with a progress bar in a terminal. */
export async function importFile(
  transfer: MarathonTransferService,
  { path, mediaType, resolution, dryRun }: ImportArguments,
): Promise<void> {
  const { size } = await stat(path);
  const bar = new SingleBar({ format: '{bar} {percentage}% | {step}', noTTYOutput: false });
  const file = new ImportedFile(path, mediaType);
  if (process.stderr.isTTY) bar.start(size, 0, { step: 'reading' });
  const progress = setInterval(() => {
    bar.update(file.bytesRead, { step: file.bytesRead < size ? 'reading' : 'storing' });
  }, PROGRESS_INTERVAL_MS);
  try {
    const { inserted, updated, skipped } = await transfer.import(file, { resolution }, { dryRun });
    bar.update(size);
    bar.stop();
    const counts = [`${inserted} marathons imported`];
    if (resolution) counts.push(`${updated} updated`, `${skipped} skipped`);
    console.log(`${counts.join(', ')}${dryRun ? ' (dry run: nothing was stored)' : ''}.`);
  } finally {
    clearInterval(progress);
    bar.stop();
  }
}

/** Prints each rejected row with its line. */
export function printRejected({ rows, count }: InvalidRowsError): void {
  for (const { line, issues } of rows) {
    const reasons = issues.map(({ pointer, detail }) => `${pointer.slice(2)} ${detail}`.trim());
    console.error(`line ${line}: ${reasons.join('; ')}`);
  }
  if (count > rows.length) console.error(`and ${count - rows.length} more`);
}

/** A file as the source of rows. Its imports have no idempotency key, so its path is fingerprint enough. */
class ImportedFile implements RowSource {
  readonly fingerprint: string;
  private current?: ReadStream;

  constructor(
    private readonly path: string,
    readonly mediaType: string,
  ) {
    this.fingerprint = path;
  }

  open(): ReadStream {
    this.current = createReadStream(this.path);
    return this.current;
  }

  get bytesRead(): number {
    return this.current?.bytesRead ?? 0;
  }
}

function parseResolution(word: string | undefined): Resolution | undefined {
  if (word === undefined) return undefined;
  if (word === 'merge' || word === 'ignore') return RESOLUTIONS[word];
  throw new UsageError(
    `--duplicates ${word} is not supported: ${suggest(word, Object.keys(RESOLUTIONS))}`,
  );
}
