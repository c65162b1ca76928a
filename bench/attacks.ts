import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const SLOW_CLIENTS = 200;
const LISTENERS = 200;
const ATTACK_TIMEOUT_MS = 3000;

type Attack = (url: string) => Promise<void>;

/** Sends requests one after another for ever. */
function repeat(path: string, headers: Record<string, string> = {}, clients = 4): Attack {
  return async (url) => {
    const client = async () => {
      for (;;) await sendAndForget(`${url}${path}`, headers);
    };
    await Promise.all(Array.from({ length: clients }, client));
  };
}

/** An attacker does not mind a refusal, and does not wait for ever. */
async function sendAndForget(url: string, headers: Record<string, string>): Promise<void> {
  try {
    const signal = AbortSignal.timeout(ATTACK_TIMEOUT_MS);
    await (await fetch(url, { headers, signal })).text();
  } catch {
    await wait(10);
  }
}

/** Opens connections that send the beginning of a request, and then a byte each second. */
function trickle(start: string): Attack {
  return async (url) => {
    const { port } = new URL(url);
    const sockets: Socket[] = [];
    for (let count = 0; count < SLOW_CLIENTS; count += 1) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      socket.write(start);
      sockets.push(socket);
    }
    for (;;) {
      for (const socket of sockets) if (socket.writable) socket.write('a');
      await wait(1000);
    }
  };
}

const HEAD = 'POST /marathon/ HTTP/1.1\r\nHost: localhost\r\n';
const LISTEN = { Accept: 'text/event-stream' };

/** What is sent again and again, by name. */
export const ATTACKS: Record<string, Attack> = {
  nothing: async () => undefined,
  'forged keys': repeat('/marathon/1', { apikey: `mr_${'0'.repeat(49)}` }, 8),
  'headers that trickle': trickle('GET / HTTP/1.1\r\nHost: localhost\r\nX: '),
  'bodies that trickle': trickle(
    `${HEAD}Content-Type: text/csv\r\nContent-Length: 100000\r\n\r\nname\n`,
  ),
  'regular expressions': repeat(String.raw`/marathon/?name=match.(a*)*\1\1b`),
  patterns: repeat(`/marathon/?name=like.${'*a'.repeat(60)}b`),
  'deep conditions': repeat(`/marathon/?and=${'('.repeat(5000)}`),
  'whole lists': repeat('/marathon/'),
  searches: repeat(`/marathon/?q=${'a%20'.repeat(40)}`),
  listeners: repeat('/marathon/changes?since=0', LISTEN, LISTENERS),
};

export const ATTACK_NAMES = Object.keys(ATTACKS);
