import type { ResourceColumn } from '../resource/columns.js';
import { MAX_CHOSEN_ID } from '../resource/resource.js';

/** A column of an import. Staged rows are text; its validity and its stored value are SQL over that. */
export interface ImportColumn {
  name: string;
  isRequired: boolean;
  /** The type of a value in JSON, if it is not null. */
  jsonType: 'string' | 'number';
  /** SQL: whether `text` can be stored. */
  isValidSql: (text: string) => string;
  /** SQL: the value that is stored for `text`. */
  storedSql: (text: string) => string;
}

/** The characters that `String.prototype.trim` removes, as a literal of SQL. */
const WHITE_SPACE = `U&'${[...range(0x09, 0x0d), 0x20, 0xa0, 0x1680, ...range(0x2000, 0x200a)]
  .concat(0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff)
  .map((code) => `\\${code.toString(16).padStart(4, '0')}`)
  .join('')}'`;

/** The id, which an upload may contain. A row without one gets the next one. */
export const ID_COLUMN = toImportColumn({
  name: 'id',
  type: 'integer',
  min: 1,
  max: MAX_CHOSEN_ID,
  example: 4,
});

/** The SQL of an import column, from the one definition of the column. */
export function toImportColumn(column: ResourceColumn): ImportColumn {
  const { name, isRequired = false } = column;
  const isText = column.type === 'text';
  const isValidSql = isText
    ? textFits(column.maxLength, isRequired)
    : integerFits(column.min, column.max);
  return {
    name,
    isRequired,
    jsonType: isText ? 'string' : 'number',
    isValidSql: (text) =>
      isRequired ? isValidSql(text) : `(${text} IS NULL OR ${isValidSql(text)})`,
    storedSql: isText ? trimSql : integerSql,
  };
}

/** The first case is a fast path: most text is short and begins with a printable ASCII character. */
function textFits(maxLength: number, isRequired: boolean) {
  return (text: string) => `CASE
    WHEN ascii(${text}) BETWEEN 33 AND 126 AND octet_length(${text}) <= ${maxLength} THEN true
    ELSE char_length(${trimSql(text)}) BETWEEN ${isRequired ? 1 : 0} AND ${maxLength} END`;
}

/** The first case is a fast path for plain digits. A bounded repetition is several times as slow. */
function integerFits(min: number, max: number) {
  return (text: string) => `CASE
    WHEN octet_length(${text}) <= 9 AND ${text} ~ '^[0-9]+$' THEN ${text}::integer BETWEEN ${min} AND ${max}
    WHEN ${trimSql(text)} ~ '^0*[0-9]{1,10}(\\.0*)?$' THEN ${wholePartSql(text)}::bigint BETWEEN ${min} AND ${max}
    ELSE false END`;
}

function trimSql(text: string): string {
  return `btrim(${text}, ${WHITE_SPACE})`;
}

function integerSql(text: string): string {
  return `${wholePartSql(text)}::integer`;
}

/** Spreadsheet programs write whole numbers as 1990.0 too. */
function wholePartSql(text: string): string {
  return `split_part(${trimSql(text)}, '.', 1)`;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
