// npm run faults: runs the fault tests on this service and on TypeORM's own pool, and prints a table.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  'test/faults',
  '--json',
];

const folder = mkdtempSync(join(tmpdir(), 'marathon-faults-report-'));
try {
  const ours = run('ours', {});
  const stock = run('stock', { STOCK_POOL: '1' });
  console.log('| fault | this service | pool of TypeORM |\n| --- | --- | --- |');
  for (const [fault, result] of ours) {
    console.log(`| ${fault} | ${describe(result)} | ${describe(stock.get(fault))} |`);
  }
  process.exitCode = [...ours.values()].every(hasPassed) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** The results of the numbered tests, by title. */
function run(name, settings) {
  console.error(`The fault tests, ${name}:`);
  const [results, FAULTS_REPORT] = [join(folder, `${name}.json`), join(folder, name)];
  const env = { ...process.env, ...settings, FAULTS_REPORT };
  spawnSync(process.execPath, [...JEST, `--outputFile=${results}`, '--testTimeout=240000'], {
    env,
    stdio: ['ignore', 2, 2],
  });
  const counted = new Map(readLines(FAULTS_REPORT).map((line) => [line.fault, line]));
  const { testResults } = JSON.parse(readFileSync(results, 'utf8'));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(
    tests
      .filter(({ title }) => /^\d+:/.test(title))
      .toSorted((a, b) => parseInt(a.title, 10) - parseInt(b.title, 10))
      .map(({ title, status, fullName }) => [title, { status, ...counted.get(fullName) }]),
  );
}

function readLines(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function hasPassed({ status, outcome, limits = {} }) {
  return status === 'passed' && Object.entries(limits).every(([time, ms]) => outcome[time] <= ms);
}

function describe(result) {
  if (!result) return 'did not end';
  const { status, outcome, limits = {} } = result;
  if (!outcome) return status === 'passed' ? 'passed' : 'broken';
  const { requestCount, failed, lost, doubled } = outcome;
  const times = Object.entries(limits).map(
    ([time, ms]) => `${time} ${outcome[time]}${outcome[time] > ms ? ` (limit ${ms}!)` : ''}`,
  );
  const counts = `${failed} of ${requestCount} failed, ${lost} lost, ${doubled} doubled`;
  return [counts, ...times].join(', ');
}
