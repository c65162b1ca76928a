import { isUtf8 } from 'node:buffer';
import type { ValidationIssue } from '../http/validation.js';
import { ID_COLUMN, type ImportColumn } from './import-columns.js';
import { chooseMembers, type ColumnMapping } from '../query/column-mappings.js';
import type { ImportRules } from './import-rules.js';
import type { JsonText } from './json-splitter.js';
import { issueAt, type RowErrors } from './row-errors.js';

const CHUNK_LENGTH = 65_536;

type Members = Record<string, unknown>;
type ParsedRow = { members: Members } | { issues: ValidationIssue[] };

/** Writes JSON objects as CSV for COPY. Values that are no rows are added to the row errors. */
export class JsonRowParser {
  /** Whether a row so far has an id. */
  hasIds = false;

  constructor(
    private readonly rules: ImportRules,
    private readonly mappings: ColumnMapping[] | undefined,
    private readonly rowErrors: RowErrors,
    private readonly pointerTo: (line: number) => string,
  ) {}

  async *parse(values: AsyncIterable<JsonText>): AsyncGenerator<Buffer> {
    let chunk = '';
    for await (const value of values) {
      chunk += this.parseValue(value);
      if (chunk.length < CHUNK_LENGTH) continue;
      yield Buffer.from(chunk);
      chunk = '';
    }
    yield Buffer.from(chunk);
  }

  /** A line of CSV, or nothing if the row is rejected. */
  private parseValue({ line, text }: JsonText): string {
    const row = this.parseRow(text);
    if ('members' in row) return this.toCsv(line, row.members);
    const pointer = this.pointerTo(line);
    this.rowErrors.add(
      line,
      row.issues.map((issue) => issueAt(pointer, issue)),
    );
    return '';
  }

  private toCsv(line: number, members: Members): string {
    const { columns, uploadColumns } = this.rules;
    this.hasIds ||= typeof members[ID_COLUMN.name] === 'number';
    const fields = uploadColumns.map(({ name }) => quote(members[name]));
    const absent = columns.filter(({ name }) => members[name] === undefined);
    const absentNames = absent.length ? `"{${absent.map(({ name }) => name).join(',')}}"` : '';
    return `${line},${fields.join(',')},${absentNames}\n`;
  }

  private parseRow(text: Buffer): ParsedRow {
    if (!isUtf8(text)) return invalidRow('is not UTF-8');
    let value: unknown;
    try {
      value = JSON.parse(text.toString());
    } catch {
      return invalidRow('is not well-formed JSON');
    }
    const { rules } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return invalidRow(`must be an object with the members ${rules.memberNames.join(', ')}`);
    }
    const { mappings } = this;
    const members = mappings ? chooseMembers(value as Members, mappings) : (value as Members);
    return canBeStaged(members, rules.uploadColumns)
      ? { members }
      : { issues: rules.explain(members) };
  }
}

function invalidRow(detail: string): ParsedRow {
  return { issues: [{ pointer: '#', detail }] };
}

/** Whether COPY can read the row. PostgreSQL validates its values after that. */
function canBeStaged(members: Members, columns: ImportColumn[]): boolean {
  const areKnown = Object.keys(members).every((name) =>
    columns.some((column) => column.name === name),
  );
  return areKnown && columns.every((column) => isStageable(members[column.name], column));
}

function isStageable(value: unknown, { isRequired, jsonType }: ImportColumn): boolean {
  if (value === undefined || value === null) return !isRequired;
  if (typeof value !== jsonType) return false;
  return typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed());
}

function quote(value: unknown): string {
  if (typeof value === 'string') return `"${value.replaceAll('"', '""')}"`;
  return typeof value === 'number' ? String(value) : '';
}
