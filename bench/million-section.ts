import { once } from 'node:events';
import { get } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Options } from './options.js';
import { BARE, importRows, OURS, startPeer, type StartedPeer } from './peers.js';
import { query, withClient, writeRows, type BenchServer } from './postgres.js';
import { residentMiB } from './processes.js';
import { describeRatio, median, type Say, type Section } from './report.js';
import { timeSeconds } from './time.js';

const ROWS = 1_000_000;
const OBJECTS =
  'SELECT row_to_json(m) FROM (SELECT id, name, city, inception_year FROM marathon ORDER BY id) AS m';
const COLUMNS = 'marathon (name, city, inception_year)';

/** Importing and listing a million rows, compared with COPY on a separate connection. */
export async function measureMillion(
  server: BenchServer,
  { rounds }: Options,
  say: Say,
): Promise<Section[]> {
  const peers = [await startPeer(server, OURS, 0), await startPeer(server, BARE, 0)];
  const [ours, bare] = [peers[0]!, peers[1]!];
  const file = writeRows(1, ROWS);
  const turns = Math.min(rounds, 3);
  const times: Record<string, number[]> = {
    importOurs: [],
    importCopy: [],
    listOurs: [],
    listCopy: [],
  };
  const atRest = residentMiB(ours.pid);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, residentMiB(ours.pid) ?? 0)), 100);
  try {
    for (let turn = 1; turn <= turns; turn += 1) {
      say(`a million imported and streamed: round ${turn} of ${turns}`);
      for (const { databaseUrl } of peers) await query(databaseUrl, 'TRUNCATE marathon');
      times.importOurs!.push(await timeSeconds(async () => importRows(ours, file)));
      times.importCopy!.push(await timeSeconds(async () => copyInto(bare, file)));
      for (const { databaseUrl } of peers) await query(databaseUrl, 'VACUUM ANALYZE marathon');
      times.listOurs!.push(await timeSeconds(async () => readList(ours)));
      times.listCopy!.push(await timeSeconds(async () => copyOut(bare)));
    }
    return [
      {
        title: 'A million rows: the time, as a multiple of COPY on a connection of its own',
        about: `Less is better; medians of ${turns}. The import is CSV by POST, validated and journaled, beside COPY FROM into the guide's table; the list is GET /marathon/, JSON, beside COPY TO of the same objects. This service took ${Math.round(atRest ?? 0)} MiB at rest and ${Math.round(most)} MiB at most.`,
        columns: ['', 'ratio', 'ours, s', 'COPY, s'],
        rows: [
          compare('import', times.importOurs!, times.importCopy!),
          compare('list, streamed', times.listOurs!, times.listCopy!),
        ],
      },
    ];
  } finally {
    clearInterval(watch);
    for (const { stop } of peers) await stop();
  }
}

async function copyInto({ databaseUrl }: StartedPeer, file: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const target = client.query(copyFrom(`COPY ${COLUMNS} FROM STDIN (FORMAT csv, HEADER)`));
    await pipeline(Readable.from([Buffer.from(file)]), target);
  });
}

async function readList({ url }: StartedPeer): Promise<void> {
  const [answer] = await once(get(`${url}/marathon/`), 'response');
  if (answer.statusCode !== 200)
    throw new Error(`The list was answered with ${answer.statusCode}.`);
  await pipeline(answer, letGo());
}

async function copyOut({ databaseUrl }: StartedPeer): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await pipeline(client.query(copyTo(`COPY (${OBJECTS}) TO STDOUT`)), letGo());
  });
}

function letGo(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function compare(name: string, own: number[], copy: number[]): string[] {
  return [name, describeRatio(own, copy), median(own).toFixed(1), median(copy).toFixed(1)];
}
