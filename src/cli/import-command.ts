import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { UploadedRows, type RowSource } from '../http/upload.js';
import type { UploadDescription } from '../imports/describe-upload.js';
import type { ImportOptions } from '../imports/import-options.js';
import type { ImportCounts } from '../imports/importer.js';
import type { Conflict } from '../imports/merge.js';
import type { InvalidRowsError } from '../imports/row-errors.js';
import type { MarathonTransferService } from '../marathon/marathon-transfer.service.js';
import { RESOURCE } from '../marathon/marathon.lists.js';
import { STANDARD_INPUT, type ImportArguments, type NamedFile } from './import-arguments.js';

const PROGRESS_INTERVAL_MS = 100;
const DELIMITER_NAMES: Record<string, string> = {
  ',': 'commas',
  ';': 'semicolons',
  '\t': 'tabs',
  '|': 'bars',
};

const IGNORE_DUPLICATES: Conflict = {
  key: RESOURCE.naturalKey,
  resolution: 'ignore-duplicates',
};

/** Imports files one after the other, each of them as a whole or not at all. */
export async function importFiles(
  transfer: MarathonTransferService,
  { files, how, dryRun }: ImportArguments,
): Promise<void> {
  for (const file of files) {
    await withSource(file, async (source, size) => {
      const label = file.path === STANDARD_INPUT ? 'The standard input' : file.path;
      console.log(`${label}: ${describe(await transfer.describe(source, how), file.charset)}`);
      const counts = await withProgress(source, size, async (onValid) =>
        transfer.import(source, { ...how, onValid }, { dryRun }),
      );
      console.log(summarize(counts, how.conflict !== undefined, dryRun));
      if (!dryRun || how.conflict) return;
      const ignoring = { ...how, conflict: IGNORE_DUPLICATES };
      const { skipped } = await transfer.import(source, ignoring, { dryRun });
      if (skipped) console.log(adviseDuplicates(skipped));
    });
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

function describe(upload: UploadDescription, charset = 'utf-8'): string {
  const { format, delimiter, columns, ignored } = upload;
  const separator = delimiter && `separated by ${DELIMITER_NAMES[delimiter] ?? delimiter}`;
  const names = columns.map(({ name, source }) => (name === source ? name : `${name} (${source})`));
  const parts = [`${format} in ${charset}`, separator, `columns ${names.join(', ')}`];
  if (ignored.length) parts.push(`ignored ${ignored.join(', ')}`);
  return parts.filter(Boolean).join('; ');
}

function summarize(counts: ImportCounts, hasResolution: boolean, dryRun: boolean): string {
  const { inserted, updated, skipped } = counts;
  const parts = [`${inserted} marathons imported`];
  if (hasResolution) parts.push(`${updated} updated`, `${skipped} skipped`);
  return `${parts.join(', ')}${dryRun ? ' (dry run: nothing was stored)' : ''}.`;
}

function adviseDuplicates(count: number): string {
  return (
    `${count} of them have the name and city of an existing marathon, or of another row. ` +
    'Add --duplicates ignore to skip them, or --duplicates merge to update the existing ones.'
  );
}

async function withSource(
  { path, mediaType, charset }: NamedFile,
  work: (source: RowSource, size?: number) => Promise<void>,
): Promise<void> {
  if (path !== STANDARD_INPUT) {
    const { size } = await stat(path);
    return work(new ImportedFile(path, mediaType, charset), size);
  }
  const received = await UploadedRows.receive({ mediaType, charset }, process.stdin, Infinity);
  try {
    await work(received);
  } finally {
    await received.discard();
  }
}

type OnValid = NonNullable<ImportOptions['onValid']>;

/** Shows a progress bar in a terminal, and else a line with the number of rows. */
async function withProgress<T>(
  source: RowSource,
  size: number | undefined,
  work: (onValid: OnValid) => Promise<T>,
): Promise<T> {
  const hasBar = process.stderr.isTTY && source instanceof ImportedFile && size !== undefined;
  return hasBar ? withProgressBar(source, size, work) : work(reportValid);
}

function reportValid(count: number): void {
  console.log(`${count} ${count === 1 ? 'row is' : 'rows are'} valid.`);
}

async function withProgressBar<T>(
  source: ImportedFile,
  size: number,
  work: (onValid: OnValid) => Promise<T>,
): Promise<T> {
  let rows = '';
  const bar = new SingleBar({ format: '{bar} {percentage}% | {step}', noTTYOutput: false });
  bar.start(size, 0, { step: 'reading' });
  const progress = setInterval(() => {
    const step = source.bytesRead < size ? 'reading' : `storing${rows}`;
    bar.update(source.bytesRead, { step });
  }, PROGRESS_INTERVAL_MS);
  try {
    const result = await work((count) => (rows = ` ${count} rows`));
    bar.update(size);
    return result;
  } finally {
    clearInterval(progress);
    bar.stop();
  }
}

/** A file as the source of rows. Its imports have no idempotency key, so its path is fingerprint enough. */
class ImportedFile implements RowSource {
  readonly fingerprint: string;
  private current?: ReadStream;

  constructor(
    private readonly path: string,
    readonly mediaType: string,
    readonly charset?: string,
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
