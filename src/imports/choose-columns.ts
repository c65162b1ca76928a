import type { ColumnMapping } from '../query/column-mappings.js';
import { suggest } from '../query/suggest.js';
import { ID_COLUMN, type ImportColumn } from './import-columns.js';
import { InvalidUploadError } from './row-errors.js';

/** What is done with a field of each row. */
export type FieldUse = { column: string } | 'ignored' | 'unnamed';

/**
 * Finds the column of each field that a header names. Names are compared without regard to case,
 * surrounding spaces, and the difference between space, hyphen and underscore.
 * @throws {InvalidUploadError} with the next step, if a column is unknown, named twice or missing.
 */
export function chooseColumns(
  header: string[],
  columns: ImportColumn[],
  mappings: ColumnMapping[] | undefined,
): FieldUse[] {
  const known = columns.map(({ name }) => name);
  const sources = mappings ?? known.map((name) => ({ name, source: name }));
  const uses = header.map((text) => useOf(text, sources, mappings !== undefined));
  if (mappings) rejectMissingSources(mappings, uses, header);
  else rejectUnknown(header, uses, columns);
  rejectRepeated(uses);
  const missing = columns.find(({ name, isRequired }) => isRequired && !isUsed(uses, name));
  if (missing) {
    throw new InvalidUploadError(
      `The header lacks the column ${missing.name}. The columns of the file are ${list(header)}. ` +
        adviseMapping(header, columns),
    );
  }
  return uses.map((use) => use ?? 'ignored');
}

/** The name of a column in the form in which names are compared. */
export function normalizeName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '_');
}

function useOf(text: string, sources: ColumnMapping[], areChosen: boolean): FieldUse | undefined {
  if (!text) return areChosen ? 'ignored' : 'unnamed';
  const normalized = normalizeName(text);
  const mapping =
    sources.find(({ source }) => source === text) ??
    sources.find(({ source }) => normalizeName(source) === normalized);
  return mapping && { column: mapping.name };
}

function rejectUnknown(
  header: string[],
  uses: (FieldUse | undefined)[],
  columns: ImportColumn[],
): void {
  const unknown = header.filter((_, index) => uses[index] === undefined);
  if (!unknown.length) return;
  const names = unknown.map((name) => `"${name}"`).join(', ');
  const advice = adviseMapping(header, columns);
  const known = columns.map(({ name }) => name);
  const hint = suggest(normalizeName(unknown[0]!), known);
  const end = hint.endsWith('?') ? '' : '.';
  throw new InvalidUploadError(`There is no column ${names}: ${hint}${end} ${advice}`);
}

function rejectMissingSources(
  mappings: ColumnMapping[],
  uses: (FieldUse | undefined)[],
  header: string[],
): void {
  const missing = mappings.find(({ name }) => !isUsed(uses, name));
  if (!missing) return;
  throw new InvalidUploadError(
    `columns= names "${missing.source}", and the columns of the file are ${list(header)}.`,
  );
}

function rejectRepeated(uses: (FieldUse | undefined)[]): void {
  const names = uses.flatMap((use) => (typeof use === 'object' ? use.column : []));
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated === undefined) return;
  throw new InvalidUploadError(
    `The header names ${repeated} twice. Choose one of them with columns=.`,
  );
}

function isUsed(uses: (FieldUse | undefined)[], name: string): boolean {
  return uses.some((use) => typeof use === 'object' && use.column === name);
}

/** An example with names of the file. It is a guess, so the reader has to check it. */
function adviseMapping(header: string[], columns: ImportColumn[]): string {
  let others = header.filter(Boolean);
  const take = (matches: (text: string) => boolean): string | undefined => {
    const found = others.find(matches);
    others = others.filter((text) => text !== found);
    return found;
  };
  const similar = columns.map(
    ({ name }) =>
      take((text) => normalizeName(text) === name) ?? take((text) => sharesWord(text, name)),
  );
  const items = columns.flatMap(({ name, isRequired }, index) => {
    const source = similar[index] ?? (isRequired ? take(() => true) : undefined);
    return source === undefined ? [] : `${name}:${quoteIfNeeded(source)}`;
  });
  return `Choose and rename columns with columns=, for example columns=${items.join(',')}.`;
}

function sharesWord(text: string, column: string): boolean {
  if (column === ID_COLUMN.name) return false;
  const words = normalizeName(text).split(/[^\p{L}\p{N}]+/u);
  return column.split('_').some((word) => words.includes(word));
}

function quoteIfNeeded(name: string): string {
  return /^[\w-]+$/.test(name) ? name : `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
}

function list(names: string[]): string {
  return names.filter(Boolean).join(', ');
}
