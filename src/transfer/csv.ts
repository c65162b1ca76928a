import type { Readable } from 'node:stream';
import { parse, type Info } from 'csv-parse';
import { didYouMean } from '../did-you-mean.js';

/** One row of a CSV file; an empty field is null. */
export interface CsvRow {
  line: number;
  fields: Record<string, string | null>;
}

/** A file that cannot be read as the table it should be. */
export class CsvRefused extends Error {}

/**
 * Reads CSV (RFC 4180) whose first line names some of `columns`, in any order.
 * @throws {CsvRefused} naming the line or the column that is wrong.
 */
export async function* readCsv(source: Readable, columns: string[]): AsyncGenerator<CsvRow> {
  const options = { bom: true, info: true, skip_empty_lines: true, columns: checkHeader(columns) };
  const parser = parse({ ...options, cast: (text, { header }) => (header || text ? text : null) });
  source.once('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of source.pipe(parser)) {
      yield { line: (info as Info).lines, fields: record };
    }
  } catch (error) {
    throw isParserError(error) ? new CsvRefused(error.message, { cause: error }) : error;
  } finally {
    source.destroy();
  }
}

function checkHeader(columns: string[]) {
  return (header: string[]): string[] => {
    for (const name of header) {
      if (columns.includes(name)) continue;
      throw new CsvRefused(`There is no column "${name}": ${didYouMean(name, columns)}`);
    }
    return header;
  };
}

function isParserError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_');
}
