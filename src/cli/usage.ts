/** The command line was used incorrectly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `npm run marathon -- COMMAND

  import FILE         import the marathons of a file: CSV with a header of column names, JSON or NDJSON
      --dry-run                   report what would be imported, and store nothing
      --duplicates merge|ignore   update, or skip, marathons with an existing name and city
  export [FILE]       write all marathons as CSV, to FILE or to the terminal
  schema sync         bring the schema of the database up to date
  schema check        check whether the schema of the database is up to date
  shell               start a JavaScript prompt with the services`;
