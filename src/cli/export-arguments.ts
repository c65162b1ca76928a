import { extensionOf } from '../http/media-types.js';
import type { FormatName } from '../lists/formats.js';
import type { QueryParameters } from '../query/parameters.js';
import { oneOf, UsageError } from './usage.js';

const FORMATS: Record<string, FormatName> = {
  csv: 'csv',
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
};

/** The options of the command `export`, as they were typed. */
export interface ExportFlags {
  format?: string;
  safe?: boolean;
}

/** The arguments of the command `export`. Without a path, the target is the standard output. */
export interface ExportArguments {
  path?: string;
  format: FormatName;
  parameters: QueryParameters;
}

/** @throws {UsageError} if an argument is invalid. */
export function parseExportArguments(words: string[], flags: ExportFlags): ExportArguments {
  const [path, ...others] = words.filter((word) => !word.includes('='));
  if (others.length) throw new UsageError(`export does not take ${others.join(', ')}.`);
  const parameters = toParameters(words.filter((word) => word.includes('=')));
  const format = formatOf(path, flags.format);
  if (!flags.safe) return { path, format, parameters };
  if (format !== 'csv') throw new UsageError('--safe is for CSV only.');
  return { path, format: 'safe-csv', parameters };
}

/** A file without a known extension is CSV. */
function formatOf(path = '', named?: string): FormatName {
  const extension = extensionOf(path);
  const known = Object.hasOwn(FORMATS, extension) ? FORMATS[extension] : undefined;
  return oneOf(FORMATS, 'format', named) ?? known ?? 'csv';
}

function toParameters(words: string[]): QueryParameters {
  // without a prototype, __proto__ is a name like any other
  const parameters = Object.create(null) as QueryParameters;
  for (const word of words) {
    const at = word.indexOf('=');
    const [name, value] = [word.slice(0, at), word.slice(at + 1)];
    const previous = parameters[name];
    parameters[name] = previous === undefined ? value : [previous, value].flat();
  }
  return parameters;
}
