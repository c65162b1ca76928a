/** A column that rows are imported into: what PostgreSQL takes for it, given as SQL over its text. */
export interface ImportColumn {
  name: string;
  isRequired: boolean;
  /** What a JSON row has there, unless it is null. */
  jsonType: 'string' | 'number';
  /** SQL: whether the text can be stored. Words for why not come from elsewhere. */
  isGood: (text: string) => string;
  /** SQL: the text as it is stored. */
  asStored: (text: string) => string;
}

/** What `String.prototype.trim` takes away, as a string of SQL. */
const WHITE_SPACE = `U&'${[
  0x09,
  0x0a,
  0x0b,
  0x0c,
  0x0d,
  0x20,
  0xa0,
  0x1680,
  ...from(0x2000, 0x200a),
]
  .concat(0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff)
  .map((code) => `\\${code.toString(16).padStart(4, '0')}`)
  .join('')}'`;

/** Text of so many characters, not bytes, without the blanks around it. */
export function textColumn(
  name: string,
  { longest, isRequired = false }: { longest: number; isRequired?: boolean },
): ImportColumn {
  // most text begins with a plain letter and is short: that is quick to see
  const fits = (text: string) => `CASE
    WHEN ascii(${text}) BETWEEN 33 AND 126 AND octet_length(${text}) <= ${longest} THEN true
    ELSE char_length(${trim(text)}) BETWEEN ${isRequired ? 1 : 0} AND ${longest} END`;
  return { name, isRequired, jsonType: 'string', asStored: trim, isGood: orNull(fits, isRequired) };
}

/** A whole number in decimal digits. */
export function wholeNumberColumn(
  name: string,
  { least, most }: { least: number; most: number },
): ImportColumn {
  const fits = (text: string) => `CASE
    WHEN ${trim(text)} ~ '^0*[0-9]{1,9}$' THEN ${asInteger(text)} BETWEEN ${least} AND ${most}
    ELSE false END`;
  return {
    name,
    isRequired: false,
    jsonType: 'number',
    asStored: asInteger,
    isGood: orNull(fits, false),
  };
}

function trim(text: string): string {
  return `btrim(${text}, ${WHITE_SPACE})`;
}

function asInteger(text: string): string {
  return `${trim(text)}::integer`;
}

function orNull(fits: (text: string) => string, isRequired: boolean) {
  return (text: string) => (isRequired ? fits(text) : `(${text} IS NULL OR ${fits(text)})`);
}

function from(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
