import pg from 'pg';

const BIGINT_OID = 20;

/** Reads values as pg does, but a bigint as a number if it is exact: an id may be of that type. */
export const bigintAsNumber: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) =>
    oid === BIGINT_OID ? readBigint : pg.types.getTypeParser(oid)) as typeof pg.types.getTypeParser,
};

function readBigint(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
