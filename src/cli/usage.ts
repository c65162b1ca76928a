import { suggest } from '../query/suggest.js';

/** The command line was used incorrectly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `npm run marathon -- COMMAND

  import FILE…        import the marathons of files: CSV with a header of column names, JSON or NDJSON;
                      - is the standard input
      --format csv|json|ndjson    the format, if the extension of the file does not tell it
      --columns LIST              choose and rename columns, as in name:Race,city:"Host city"
      --encoding NAME             the encoding of the file, as in windows-1252; the default is utf-8
      --null TEXT                 a text that means null in CSV
      --dry-run                   report what would be imported, and store nothing
      --duplicates merge|ignore   update, or skip, marathons that exist
      --on-conflict name,city|id  how existing marathons are found; the default is name,city
  export [FILE] [PARAMETER=VALUE…]
                      write marathons to FILE or to the terminal; the parameters are those of a list,
                      as in city=eq.Berlin order=name
      --format csv|json|ndjson    the format, if the extension of the file does not tell it
      --safe                      CSV in which spreadsheets show formulas as text
  schema sync         bring the schema of the database up to date
  schema check        check whether the schema of the database is up to date
  key create          create an API key and print it once
      --role reader|writer|admin  what its holder may do
      --name TEXT                 who uses it: the author of its writes
      --expires 90d               when it expires, in days; the default is never
  key list            list the API keys, without the keys themselves
  key revoke ID…      revoke API keys
  shell               start a JavaScript prompt with the services
  help, --help        print this text
  --version           print the version`;

/**
 * The value that a word of an option names; undefined without the option.
 * @throws {UsageError} with the nearest word, if there is no such value.
 */
export function oneOf<T>(values: Record<string, T>, option: string, word?: string): T | undefined {
  if (word === undefined) return undefined;
  if (Object.hasOwn(values, word)) return values[word];
  throw new UsageError(
    `--${option} ${word} is not supported: ${suggest(word, Object.keys(values))}`,
  );
}
