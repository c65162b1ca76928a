import { MEDIA_TYPES, mediaTypeOfFile } from '../http/media-types.js';
import type { ImportOptions } from '../imports/import-options.js';
import type { Conflict, Resolution } from '../imports/merge.js';
import { RESOURCE, UPLOAD_COLUMNS } from '../marathon/marathon.lists.js';
import { parseColumnMappings } from '../query/column-mappings.js';
import { ParseError } from '../query/errors.js';
import { oneOf, UsageError } from './usage.js';

export const STANDARD_INPUT = '-';

const RESOLUTIONS: Record<string, Resolution> = {
  merge: 'merge-duplicates',
  ignore: 'ignore-duplicates',
};

const KEYS: Record<string, string[]> = {
  [RESOURCE.naturalKey.join(',')]: RESOURCE.naturalKey,
  id: ['id'],
};

/** The options of the command `import`, as they were typed. */
export interface ImportFlags {
  format?: string;
  columns?: string;
  encoding?: string;
  null?: string;
  duplicates?: string;
  'on-conflict'?: string;
  'dry-run'?: boolean;
}

/** A file to import; `path` may be `-`. */
export interface NamedFile {
  path: string;
  mediaType: string;
  charset?: string;
}

/** The arguments of the command `import`. */
export interface ImportArguments {
  files: NamedFile[];
  how: ImportOptions;
  dryRun: boolean;
}

/** @throws {UsageError} if an argument is missing or invalid. */
export function parseImportArguments(paths: string[], flags: ImportFlags): ImportArguments {
  if (!paths.length) throw new UsageError('Name the file to import.');
  const charset = flags.encoding;
  return {
    files: paths.map((path) => ({ path, mediaType: mediaTypeOf(path, flags.format), charset })),
    how: {
      columns: parseColumns(flags.columns),
      nullText: flags.null,
      conflict: conflictOf(flags),
    },
    dryRun: flags['dry-run'] ?? false,
  };
}

function conflictOf(flags: ImportFlags): Conflict | undefined {
  const resolution = oneOf(RESOLUTIONS, 'duplicates', flags.duplicates);
  const key = oneOf(KEYS, 'on-conflict', flags['on-conflict']) ?? RESOURCE.naturalKey;
  if (resolution) return { key, resolution };
  if (flags['on-conflict'] === undefined) return undefined;
  throw new UsageError('--on-conflict needs --duplicates merge or --duplicates ignore.');
}

function mediaTypeOf(path: string, format: string | undefined): string {
  const named = oneOf(MEDIA_TYPES, 'format', format);
  const mediaType = named ?? mediaTypeOfFile(path);
  if (mediaType) return mediaType;
  const subject = path === STANDARD_INPUT ? 'The standard input' : path;
  throw new UsageError(
    `${subject} has none of the extensions ${Object.keys(MEDIA_TYPES).join(', ')}. Name its format with --format csv, json or ndjson.`,
  );
}

function parseColumns(text: string | undefined) {
  try {
    return text === undefined ? undefined : parseColumnMappings(text, UPLOAD_COLUMNS);
  } catch (error) {
    if (error instanceof ParseError) throw new UsageError(`--columns: ${error.message}`);
    throw error;
  }
}
