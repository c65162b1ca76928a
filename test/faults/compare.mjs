// npm run faults: the fault tests on this service, and on TypeORM's stock pool, as a table.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/faults'];

const folder = mkdtempSync(join(tmpdir(), 'marathon-faults-report-'));
try {
  const ours = run('ours', {});
  const stock = run('stock', { STOCK_POOL: '1' });
  console.log('| fault | this service: asked, failed, lost, doubled | stock pool |\n|---|---|---|');
  for (const [fault, outcome] of ours) {
    console.log(`| ${fault} | ${tell(outcome)} | ${tell(stock.get(fault))} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function run(name, settings) {
  const FAULTS_REPORT = join(folder, name);
  const env = { ...process.env, ...settings, FAULTS_REPORT };
  spawnSync(process.execPath, [...JEST, '--testTimeout=120000'], { env, stdio: ['ignore', 2, 2] });
  const lines = existsSync(FAULTS_REPORT)
    ? readFileSync(FAULTS_REPORT, 'utf8').trim().split('\n')
    : [];
  return new Map(
    lines.map((line) => {
      const { currentTestName, ...outcome } = JSON.parse(line);
      return [currentTestName, outcome];
    }),
  );
}

function tell(outcome) {
  if (!outcome) return 'did not end';
  const { asked, failed, lost, doubled } = outcome;
  return `${asked}, ${failed}, ${lost}, ${doubled}`;
}
