declare module 'pg/lib/utils.js' {
  /** How pg sends a value of a parameter. */
  function prepareValue(value: unknown): string | Buffer | null;

  const utils: { prepareValue: typeof prepareValue };
  export default utils;
}
