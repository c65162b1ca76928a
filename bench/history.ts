import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { Section } from './report.js';

const FOLDER = new URL('../../bench/history/', import.meta.url);

/** The results of a run: bench/history/<date>-<commit>.json. */
export interface Run {
  /** When it began: the date, and the time in UTC, as ISO 8601 has it. */
  startedAt: string;
  /** The commit that was measured. */
  version: string;
  machine: string;
  notes: string[];
  /** By the names that `--only` takes. */
  sections: Record<string, Section[]>;
}

/** Adds the results to those of the same day and commit. */
export async function keepRun(run: Run): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const file = new URL(`${dateOf(run)}-${run.version}.json`, FOLDER);
  const before = (await readRuns()).find(
    (other) => dateOf(other) === dateOf(run) && other.version === run.version,
  );
  const sections = { ...before?.sections, ...run.sections };
  await writeFile(file, `${JSON.stringify({ ...run, sections }, null, 2)}\n`);
}

/** All runs, the oldest first. */
export async function readRuns(): Promise<Run[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  const texts = names.map(async (name) => readFile(new URL(name, FOLDER), 'utf8'));
  const runs = (await Promise.all(texts)).map((text) => JSON.parse(text) as Run);
  return runs.toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}

export function dateOf({ startedAt }: Run): string {
  return startedAt.slice(0, 'YYYY-MM-DD'.length);
}

/** The commit that is checked out, shortened by Git. */
export function currentVersion(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}
