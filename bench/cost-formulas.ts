import { median } from './report.js';

/** What one unit of work costs. */
interface Cost {
  /** Processor time of the service and of PostgreSQL, in microseconds. */
  service: number;
  postgres: number;
  /** Bytes of the write-ahead log, and of the tables and indexes. */
  log: number;
  disk: number;
}

/** What a turn measured. */
export interface Turn extends Cost {
  /** Batches for a unit: less than 1 where requests share them. */
  batches: number;
}

/** A line a + b x. */
interface Formula {
  text: string;
  x: (point: number, turn: Turn) => number;
}

/** How the costs depend on the point. A cost without a formula is too small for one. */
export type Formulas = Partial<Record<keyof Cost, Formula>>;

/** Costs at a point of a kind of work. */
interface Measured {
  point: number;
  turn: Turn;
}

export const BY_POINT: Formula = { text: 'x', x: (point) => point };
export const BY_INVERSE: Formula = { text: '1 / x', x: (point) => 1 / point };
export const BY_BATCHES: Formula = { text: 'batches', x: (_, { batches }) => batches };

/** The same formula for all costs. */
export function alike(formula: Formula): Formulas {
  return { service: formula, postgres: formula, log: formula, disk: formula };
}

/** The median of each cost. */
export function typicalTurn(turns: Turn[]): Turn {
  return makeTurn((key) => median(turns.map((turn) => turn[key])));
}

/** A turn of the values that `of` returns. */
export function makeTurn(of: (key: keyof Turn) => number): Turn {
  return {
    service: of('service'),
    postgres: of('postgres'),
    log: of('log'),
    disk: of('disk'),
    batches: of('batches'),
  };
}

/** A row for each cost: its formula, fitted to some points and compared with the others. */
export function describeCosts(
  name: string,
  formulas: Formulas,
  measured: Measured[],
  fitted: number[],
): string[][] {
  return Object.entries(formulas).map(([key, formula]) => {
    const points = measured.map(({ point, turn }) => ({
      point,
      x: formula.x(point, turn),
      y: turn[key as keyof Cost],
    }));
    const { a, b } = fitLine(points.filter(({ point }) => fitted.includes(point)));
    const ratios = points
      .filter(({ point }) => !fitted.includes(point))
      .map((each) => `${each.point}: **${((a + b * each.x) / each.y).toFixed(2)}**`);
    const costs = points.map(({ point, x, y }) => {
      const batches = formula === BY_BATCHES ? ` (${x.toPrecision(2)} batches)` : '';
      return `${point}: ${y.toFixed(1)}${batches}`;
    });
    const line = `${a.toPrecision(3)} + ${b.toPrecision(3)} × ${formula.text}`;
    return [name, key, line, costs.join(', '), ratios.join(', ')];
  });
}

/** The line y = a + b x with the least sum of squares of the relative errors. */
function fitLine(points: { x: number; y: number }[]): { a: number; b: number } {
  const sum = (term: (u: number, v: number) => number) =>
    points.reduce((total, { x, y }) => total + term(1 / y, x / y), 0);
  const [uu, uv, vv] = [sum((u) => u * u), sum((u, v) => u * v), sum((_, v) => v * v)];
  const [u, v] = [sum((each) => each), sum((_, each) => each)];
  const determinant = uu * vv - uv * uv;
  return { a: (u * vv - v * uv) / determinant, b: (v * uu - u * uv) / determinant };
}
