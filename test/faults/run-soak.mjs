// npm run soak -- --minutes 30 [--seed TEXT]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } },
});
if (!(Number(values.minutes) > 0)) throw new Error('--minutes takes a number above 0');

const env = { ...process.env, SOAK_MINUTES: values.minutes };
if (values.seed) env.FAULTS_SEED = values.seed;
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--testMatch=**/faults/soak.ts',
    '--verbose',
  ],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
