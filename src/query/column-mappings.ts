import { ParseError } from './errors.js';
import { QUOTED, unescapeQuoted } from './quoted-text.js';
import { Scanner } from './scanner.js';
import { suggest } from './suggest.js';

/** A column, and its name in the upload. */
export interface ColumnMapping {
  name: string;
  source: string;
}

const WORD = /[^,:"]+/y;
const REST = /[^,"]+/y;

/**
 * Parses `columns=`: names, and with a colon the names that they have in the upload, as in
 * `name:Race,other:"Another name"`.
 * @throws {ParseError} if a column is unknown or named twice.
 */
export function parseColumnMappings(text: string, known: string[]): ColumnMapping[] {
  const scanner = new Scanner(text);
  const mappings: ColumnMapping[] = [];
  do {
    const start = scanner.index;
    const mapping = readMapping(scanner);
    if (!known.includes(mapping.name)) {
      scanner.fail(`there is no column "${mapping.name}": ${suggest(mapping.name, known)}`, start);
    }
    if (mappings.some(({ name }) => name === mapping.name))
      scanner.fail(`${mapping.name} is named twice`, start);
    mappings.push(mapping);
  } while (scanner.skip(','));
  if (!scanner.isAtEnd) scanner.fail('a comma was expected between columns');
  return mappings;
}

function readMapping(scanner: Scanner): ColumnMapping {
  const name = readName(scanner, WORD);
  return { name, source: scanner.skip(':') ? readName(scanner, REST) : name };
}

function readName(scanner: Scanner, unquoted: RegExp): string {
  const quoted = scanner.take(QUOTED)?.[1];
  if (quoted !== undefined) return unescapeQuoted(quoted);
  const name = scanner.take(unquoted)?.[0].trim();
  if (!name) throw new ParseError('a name was expected, as in name:Race', scanner.index);
  return name;
}

/** The members that the mappings name, under the names of their columns. */
export function chooseMembers(
  members: Record<string, unknown>,
  mappings: ColumnMapping[],
): Record<string, unknown> {
  const named = mappings.filter(({ source }) => Object.hasOwn(members, source));
  return Object.fromEntries(named.map(({ name, source }) => [name, members[source]]));
}
