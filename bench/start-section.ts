import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Options } from './options.js';
import { OURS, PEERS } from './peers.js';
import type { BenchServer } from './postgres.js';
import { startProcess, type RunningPeer } from './processes.js';
import { median, type Say, type Section } from './report.js';
import { startService } from './service.js';
import { timeSeconds } from './time.js';

const run = promisify(execFile);
const REPOSITORY = new URL('../..', import.meta.url).pathname;
/** Each takes half a minute. */
const INSTALLATIONS = 3;

type Start = () => Promise<RunningPeer>;
/** From the start of the process to its first answer. */
export async function measureStarts(
  server: BenchServer,
  { rounds }: Options,
  say: Say,
): Promise<Section[]> {
  const peers = PEERS.filter(({ isInstalled }) => isInstalled());
  const names = [...peers.map(({ name }) => name), `${OURS}, its embedded server`];
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  const starts: Start[] = peers.map((peer) => async () => peer.start(server, 0));
  starts.push(async () => startEmbedded(folder));
  const times: number[][] = starts.map(() => []);
  try {
    // the first start creates the database
    await timeStart(starts.at(-1)!);
    for (let round = 1; round <= rounds; round += 1) {
      say(`start to first answer: round ${round} of ${rounds}`);
      for (const [index, start] of starts.entries()) times[index]!.push(await timeStart(start));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return [
    {
      title: 'From the start to the first answer, ms',
      about: `Medians of ${rounds}; with a new and empty database each, in which this service makes its tables first. Its embedded server has them already, and starts with the service.`,
      columns: names,
      rows: [times.map((each) => median(each).toFixed(0))],
    },
  ];
}

/** From nothing but Node and a clone to the first answer. npm has the packages in its cache. */
export async function measureInstallations(
  _: BenchServer,
  __: Options,
  say: Say,
): Promise<Section[]> {
  const [installs, starts]: number[][] = [[], []];
  for (let round = 1; round <= INSTALLATIONS; round += 1) {
    say(`npm ci && npm start: round ${round} of ${INSTALLATIONS}`);
    const clone = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
    try {
      await run('git', ['clone', '--quiet', REPOSITORY, clone]);
      installs!.push(await timeSeconds(async () => run('npm', ['ci'], { cwd: clone })));
      starts!.push((await timeStart(async () => startWithNpm(clone))) / 1000);
    } finally {
      await rm(clone, { recursive: true });
    }
  }
  const both = installs!.map((seconds, index) => seconds + starts![index]!);
  return [
    {
      title: 'npm ci && npm start, from a clone to the first answer, s',
      about: `Medians of ${INSTALLATIONS}, with the packages in npm's cache. npm start builds the service and the page, and creates the embedded database.`,
      columns: ['npm ci', 'npm start', 'both'],
      rows: [[installs!, starts!, both].map((each) => median(each).toFixed(1))],
    },
  ];
}

async function startEmbedded(folder: string): Promise<RunningPeer> {
  return startService({ DATABASE_URL: '', DATA_DIR: join(folder, 'data') });
}

async function startWithNpm(clone: string): Promise<RunningPeer> {
  const settings = { DATABASE_URL: '', DATA_DIR: join(clone, '.data'), PORT: '0' };
  return startProcess('npm', ['--prefix', clone, 'start'], settings);
}

/** In milliseconds. */
async function timeStart(start: Start): Promise<number> {
  const startedAt = performance.now();
  const { url, stop } = await start();
  try {
    const answer = await fetch(`${url}/marathon/`);
    await answer.text();
    if (answer.status !== 200) throw new Error(`The first answer was ${answer.status}.`);
    return performance.now() - startedAt;
  } finally {
    await stop();
  }
}
