/** The rows of an upload, in the CSV that PostgreSQL's COPY reads, each preceded by its line. */
export interface ParsedRows {
  /** The columns after the line, in the order of the text. */
  columns: string[];
  delimiter: string;
  /** Whether a row may have an id. It is known when all rows have been read. */
  hasIds: () => boolean;
  /** Whether the rows were CSV. An empty quoted number is null then: some programs quote every field. */
  isCsv: boolean;
  /** The JSON pointer (RFC 6901) of the row at a line. */
  pointerTo: (line: number) => string;
  copyText: AsyncIterable<Buffer>;
}
