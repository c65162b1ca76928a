import { cpus, totalmem } from 'node:os';
import { dateOf, type Run } from './history.js';
import { loadGenerator } from './load.js';

const ABOUT =
  'Written by `npm run bench` from `bench/history/`: the newest results of each section. Clients, peers and PostgreSQL share the processors.';

/** A table of results, and how they were measured. */
export interface Section {
  title: string;
  about: string;
  columns: string[];
  rows: string[][];
}

/** Tells whoever watches the run what is measured now. */
export type Say = (text: string) => void;

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** The ratio of `ours` to `theirs`, turn by turn: the median and the range. */
export function describeRatio(ours: number[], theirs: number[]): string {
  const ratios = ours.map((value, turn) => value / theirs[turn]!);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return `**${median(ratios).toFixed(2)}** (${least.toFixed(2)}–${most.toFixed(2)})`;
}

export function describeRate(perSecond: number[]): string {
  return Math.round(median(perSecond)).toLocaleString('en');
}

export function describeMachine(postgresVersion: string): string {
  const [cpu] = cpus();
  return [
    `${cpus().length} × ${cpu?.model.trim()}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${process.platform} ${process.arch}`,
    `Node ${process.version}`,
    `PostgreSQL ${postgresVersion}`,
    `load by ${loadGenerator}`,
  ].join(', ');
}

/** The newest results of each section; `names` is their order. */
export function writeReport(runs: Run[], names: string[]): string {
  const parts = names.flatMap((name) => {
    const run = runs.findLast(({ sections }) => sections[name]);
    return run ? run.sections[name]!.map((section) => writeSection(section, run)) : [];
  });
  return ['# What was measured', ABOUT, ...parts, ''].join('\n\n');
}

function writeSection({ title, about, columns, rows }: Section, run: Run): string {
  const origin = [`${dateOf(run)}, commit ${run.version}, ${run.machine}.`, ...run.notes].join(' ');
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
  return `## ${title}\n\n${about}\n\n${origin}\n\n${table}`;
}

function line(cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}
