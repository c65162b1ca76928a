import { dateOf, type Run } from './history.js';

const [WIDTH, HEIGHT] = [820, 320];
const AREA = { left: 44, right: 530, top: 24, bottom: 268 };
const LABEL_HEIGHT = 15;
/** The colours of Okabe and Ito, which people with a colour vision deficiency can tell apart. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#b8860b', '#cc79a7'];

interface Series {
  name: string;
  /** By run; undefined where it was not measured. */
  values: (number | undefined)[];
}

/** An SVG of how many times as many requests as the hand-written server the service answered, by run. */
export function drawRatios(runs: Run[]): string {
  const measured = runs.filter(({ sections }) => sections.peers);
  const series = readSeries(measured);
  const most = Math.ceil(
    Math.max(...series.flatMap(({ values }) => values.map((each) => each ?? 0))),
  );
  const y = (value: number) => AREA.bottom - (value / most) * (AREA.bottom - AREA.top);
  const step = (AREA.right - AREA.left - 40) / Math.max(1, measured.length - 1);
  const x = (index: number) => AREA.left + 20 + index * step;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    '<title>Requests of this service for each of bare node:http + pg, 32 clients, by run</title>',
    '<style>text { fill: #333 } .grid { stroke: #ddd } .one { stroke: #888 } @media (prefers-color-scheme: dark) { text { fill: #ccc } .grid { stroke: #444 } }</style>',
    ...drawGrid(most, y),
    ...measured.map((run, index) => drawName(run, x(index))),
    ...series.map((each, index) => drawLine(each, COLOURS[index % COLOURS.length]!, x, y)),
    ...drawLabels(series, y),
    '</svg>\n',
  ].join('\n');
}

function readSeries(runs: Run[]): Series[] {
  const tables = runs.map(({ sections }) => sections.peers![0]!);
  const names = tables.at(-1)!.rows.map(([name]) => name!);
  return names.map((name) => ({
    name,
    values: tables.map(({ rows }) => readMedian(rows.find(([other]) => other === name)?.[1])),
  }));
}

/** Of a cell such as `**4.82** (4.71–5.07)`. */
function readMedian(cell = ''): number | undefined {
  const median = /\*\*([\d.]+)\*\*/.exec(cell)?.[1];
  return median ? Number(median) : undefined;
}

function drawGrid(most: number, y: (value: number) => number): string[] {
  return Array.from({ length: most + 1 }, (_, value) => {
    const at = y(value).toFixed(1);
    const line = `<line class="${value === 1 ? 'one' : 'grid'}" x1="${AREA.left}" x2="${AREA.right}" y1="${at}" y2="${at}"/>`;
    return `${line}<text x="${AREA.left - 8}" y="${at}" dy="4" text-anchor="end">${value}</text>`;
  });
}

function drawName(run: Run, x: number): string {
  const text = (words: string, y: number) =>
    `<text x="${x.toFixed(1)}" y="${y}" text-anchor="middle">${words}</text>`;
  return text(dateOf(run), AREA.bottom + 20) + text(run.version, AREA.bottom + 36);
}

function drawLine(
  { values }: Series,
  colour: string,
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  const points = values.flatMap((value, index) =>
    value === undefined ? [] : [`${x(index).toFixed(1)},${y(value).toFixed(1)}`],
  );
  const dots = points.map((point) => {
    const [cx, cy] = point.split(',');
    return `<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"/>`;
  });
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
}

/** Beside the ends of the lines, and far enough from each other to be read. */
function drawLabels(series: Series[], y: (value: number) => number): string[] {
  const ends = series
    .map(({ name, values }, index) => ({ name, index, value: values.at(-1) ?? 0 }))
    .toSorted((a, b) => b.value - a.value);
  let lowest = -Infinity;
  return ends.map(({ name, index, value }) => {
    lowest = Math.max(y(value), lowest + LABEL_HEIGHT);
    const colour = COLOURS[index % COLOURS.length];
    const at = lowest.toFixed(1);
    return `<circle cx="${AREA.right + 14}" cy="${at}" r="4" fill="${colour}"/><text x="${AREA.right + 24}" y="${at}" dy="4">${name}: ${value.toFixed(2)}</text>`;
  });
}
