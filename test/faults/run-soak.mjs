// npm run soak -- --minutes 30 [--seed TEXT] [--only requests|journal]: runs each test for this time.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
if (!(Number(values.minutes) > 0)) throw new Error('--minutes takes a number above 0');

const files = { requests: 'random.e2e-spec.ts', journal: 'soak.ts' };
const chosen = values.only ? [files[values.only]] : Object.values(files);
if (chosen.includes(undefined)) throw new Error('--only takes requests or journal');

const env = { ...process.env, SOAK_MINUTES: values.minutes };
if (values.seed) env.FAULTS_SEED = values.seed;
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--runInBand',
    ...chosen.map((file) => `--testMatch=**/faults/${file}`),
    '--verbose',
  ],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
