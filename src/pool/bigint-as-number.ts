import pg from 'pg';

const BIGINT_OID = 20;

/** Parses values as pg does, but exact bigints as numbers: the column `id` may be a bigint. */
export const bigintAsNumber: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) =>
    oid === BIGINT_OID
      ? parseBigint
      : pg.types.getTypeParser(oid)) as typeof pg.types.getTypeParser,
};

function parseBigint(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
