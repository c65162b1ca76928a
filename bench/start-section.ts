import type { Options } from './options.js';
import { PEERS } from './peers.js';
import type { BenchServer } from './postgres.js';
import { median, type Section } from './report.js';

/** From the start of the process to its first answer, with a running database. */
export async function measureStarts(
  server: BenchServer,
  { rounds }: Options,
  say: (text: string) => void,
): Promise<Section[]> {
  const peers = PEERS.filter(({ isInstalled }) => isInstalled());
  const times: number[][] = peers.map(() => []);
  for (let round = 1; round <= rounds; round += 1) {
    say(`start to first answer: round ${round} of ${rounds}`);
    for (const [index, peer] of peers.entries()) times[index]!.push(await timeStart(server, peer));
  }
  return [
    {
      title: 'From the start to the first answer, ms',
      about: `Medians of ${rounds}; with a new and empty database each, in which this service makes its tables first.`,
      columns: peers.map(({ name }) => name),
      rows: [times.map((each) => median(each).toFixed(0))],
    },
  ];
}

async function timeStart(server: BenchServer, { start }: (typeof PEERS)[number]): Promise<number> {
  const startedAt = performance.now();
  const { url, stop } = await start(server, 0);
  try {
    const answer = await fetch(`${url}/marathon/`);
    await answer.text();
    if (answer.status !== 200) throw new Error(`The first answer was ${answer.status}.`);
    return performance.now() - startedAt;
  } finally {
    await stop();
  }
}
