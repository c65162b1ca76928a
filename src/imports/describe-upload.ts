import type { RowSource } from '../http/upload.js';
import { readCsvColumns } from './csv-parser.js';
import { decodeText } from './decode-text.js';
import type { ImportOptions } from './import-options.js';
import type { ImportRules } from './import-rules.js';

/** How an upload is understood, before any of its rows is read. */
export interface UploadDescription {
  format: 'CSV' | 'JSON' | 'NDJSON';
  /** Of CSV only. */
  delimiter?: string;
  /** The columns that are read, and their names in the upload. */
  columns: { name: string; source: string }[];
  /** The columns that are not read. */
  ignored: string[];
}

/** @throws {InvalidUploadError} if the header of CSV is invalid. */
export async function describeUpload(
  source: RowSource,
  rules: ImportRules,
  { columns: mappings }: ImportOptions,
): Promise<UploadDescription> {
  const names = rules.columns.map(({ name }) => ({ name, source: name }));
  if (source.mediaType !== 'text/csv') {
    const format = source.mediaType === 'application/json' ? 'JSON' : 'NDJSON';
    return { format, columns: mappings ?? names, ignored: [] };
  }
  const bytes = source.open();
  try {
    const text = decodeText(bytes, source.charset);
    const chunks = text[Symbol.asyncIterator]();
    const { header, uses } = await readCsvColumns(chunks, rules.uploadColumns, mappings);
    const fields = uses.map((use, index) => ({ use, source: header.names[index]! }));
    return {
      format: 'CSV',
      delimiter: header.delimiter,
      columns: fields.flatMap(({ use, ...field }) =>
        typeof use === 'object' ? { name: use.column, ...field } : [],
      ),
      ignored: fields.flatMap((field) => (field.use === 'ignored' ? field.source : [])),
    };
  } finally {
    bytes.destroy();
  }
}
