import { connect, type Socket } from 'node:net';
import type { Options } from './options.js';
import { importRows, OURS, startPeer } from './peers.js';
import { writeRows, type BenchServer } from './postgres.js';
import { residentMiB } from './processes.js';
import type { Say, Section } from './report.js';

const ROWS = 300_000;
const [READERS, LISTENERS, WORKERS] = [1000, 1000, 8];
const LOAD_MS = 20_000;
const AFTER_MS = 60_000;

const LIST = 'GET /marathon/ HTTP/1.1\r\nHost: localhost\r\n\r\n';
const CHANGES =
  'GET /marathon/changes?since=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n';
const JSON_POST = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: '{"name":"Boston Marathon"}',
};

/** Other requests beside a thousand clients of a long list and a thousand listeners that read nothing. */
export async function measureSlowClients(
  server: BenchServer,
  _: Options,
  say: Say,
): Promise<Section[]> {
  const ours = await startPeer(server, OURS, 0);
  const sockets: Socket[] = [];
  try {
    await importRows(ours, writeRows(1, ROWS));
    const before = await measureRequests(ours.url, LOAD_MS);
    const memoryBefore = residentMiB(ours.pid) ?? 0;
    say(`${READERS} readers and ${LISTENERS} listeners that read nothing`);
    for (let index = 0; index < READERS + LISTENERS; index += 1) {
      sockets.push(open(ours.url, index % 2 ? LIST : CHANGES));
    }
    const during = await measureRequests(ours.url, LOAD_MS);
    const memoryDuring = residentMiB(ours.pid) ?? 0;
    for (const socket of sockets) socket.destroy();
    say('a minute of the same requests without them');
    const after = await measureRequests(ours.url, AFTER_MS);
    const memoryAfter = residentMiB(ours.pid) ?? 0;
    const memory = [memoryBefore, memoryDuring, memoryAfter].map((mib) => `${Math.round(mib)}`);
    return [
      {
        title: 'Beside clients that read nothing',
        about:
          `${READERS} readers of a list of ${ROWS.toLocaleString('en')} and ${LISTENERS} listeners to as many changes, and ${WORKERS} clients that create, read by id and list 20. ` +
          `Milliseconds. The memory of the service was ${memory[0]} MiB before, ${memory[1]} with them, and ${memory[2]} a minute after they left, during which the eight clients continued.`,
        columns: ['', 'requests', 'not 2xx', 'p50', 'p99', 'slowest'],
        rows: [
          ['before', ...describe(before)],
          ['with them', ...describe(during)],
          ['after they left', ...describe(after)],
        ],
      },
    ];
  } finally {
    for (const socket of sockets) socket.destroy();
    await ours.stop();
  }
}

interface Latencies {
  sortedMs: number[];
  failed: number;
}

async function measureRequests(url: string, durationMs: number): Promise<Latencies> {
  const endsAt = performance.now() + durationMs;
  const latenciesMs: number[] = [];
  let failed = 0;
  const send = async (path: string, options?: RequestInit) => {
    const sentAt = performance.now();
    const answer = await fetch(`${url}/marathon/${path}`, options);
    const text = await answer.text();
    latenciesMs.push(performance.now() - sentAt);
    if (!answer.ok) failed += 1;
    return text;
  };
  const work = async () => {
    while (performance.now() < endsAt) {
      const { id } = JSON.parse(await send('', JSON_POST)) as { id: number };
      await send(String(id));
      await send('?limit=20');
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return { sortedMs: latenciesMs.toSorted((a, b) => a - b), failed };
}

function describe({ sortedMs, failed }: Latencies): string[] {
  const at = (part: number) => (sortedMs[Math.floor(part * (sortedMs.length - 1))] ?? 0).toFixed(1);
  return [sortedMs.length.toLocaleString('en'), String(failed), at(0.5), at(0.99), at(1)];
}

/** Sends a request and never reads the response. */
function open(url: string, request: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => socket.destroy());
  socket.pause();
  socket.write(request);
  return socket;
}
