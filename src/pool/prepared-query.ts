import pg from 'pg';
import pgUtils from 'pg/lib/utils.js';
import { bigintAsNumber } from './bigint-as-number.js';

/** What this class uses of pg beyond its documentation. */
interface Connection {
  submittedNamedStatements: Record<string, string | undefined>;
  parse: (statement: { name: string; text: string }) => void;
  bind: (portal: { statement: string; values: unknown[] }) => void;
  describe: (target: { type: 'P' }) => void;
  execute: () => void;
  sync: () => void;
}

interface Query {
  hasBeenParsed: (connection: Connection) => boolean;
}

interface Field {
  name: string;
  dataTypeID: number;
}

type Row = Record<string, unknown>;

/** How the rows of a statement are read. */
interface Columns {
  names: string[];
  parsers: ((text: string) => unknown)[];
  /** Its copies get their values faster than an object that grows. */
  emptyRow: Row;
}

/** The columns of the statements that each connection has executed, by the names of the statements. */
const knownColumns = new WeakMap<Connection, Map<string, Columns>>();

// pg sends nothing but its own class before the response to the previous statement
const PgQuery = pg.Query as unknown as new (text: string) => Query;

/**
 * A named statement, with the protocol's messages and no more: each connection asks for its columns once. If they
 * change, PostgreSQL rejects the statement (https://www.postgresql.org/docs/current/sql-prepare.html). Not behind a
 * pooler, whose connections lead to several servers.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class PreparedQuery extends PgQuery {
  private readonly result: Row[] = [];
  private readonly values: unknown[];
  private known!: Map<string, Columns>;
  private columns?: Columns;
  private failure?: Error;

  private constructor(
    readonly name: string,
    readonly text: string,
    values: unknown[],
    private readonly resolve: (rows: Row[]) => void,
    private readonly reject: (reason: Error) => void,
  ) {
    super(text);
    this.values = values.map((value) => pgUtils.prepareValue(value));
  }

  /** Executes the statement `text` under its `name`. Returns its rows. */
  static async run(
    client: pg.ClientBase,
    name: string,
    text: string,
    values: unknown[],
  ): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const query = new PreparedQuery(name, text, values, resolve, reject);
      client.query(query as unknown as pg.Submittable);
    });
  }

  /** Sends the statement. pg calls this when its turn comes, and then a method for each message that arrives. */
  prepare(connection: Connection): void {
    const { name, text, values } = this;
    this.known = columnsOf(connection);
    this.columns = this.known.get(name);
    if (!this.hasBeenParsed(connection)) {
      connection.parse({ name, text });
      connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values });
    if (!this.columns) connection.describe({ type: 'P' });
    connection.execute();
    connection.sync();
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    this.columns = {
      names: fields.map(({ name }) => name),
      parsers: fields.map(({ dataTypeID }) => bigintAsNumber.getTypeParser(dataTypeID, 'text')),
      emptyRow: Object.fromEntries(fields.map(({ name }) => [name, null])),
    };
    this.known.set(this.name, this.columns);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    try {
      this.result.push(readRow(this.columns!, fields));
    } catch (error) {
      // an error here would end the process
      this.failure ??= error as Error;
    }
  }

  /** Nothing: the rows are complete when PostgreSQL is ready. */
  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    if (this.failure) this.reject(this.failure);
    else this.resolve(this.result);
  }

  handleError(error: Error): void {
    this.reject(error);
  }
}

function columnsOf(connection: Connection): Map<string, Columns> {
  const known = knownColumns.get(connection) ?? new Map<string, Columns>();
  knownColumns.set(connection, known);
  return known;
}

function readRow({ names, parsers, emptyRow }: Columns, values: (string | null)[]): Row {
  const row = { ...emptyRow };
  for (const [index, value] of values.entries()) {
    if (value !== null) row[names[index]!] = parsers[index]!(value);
  }
  return row;
}
