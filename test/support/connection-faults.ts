import { setTimeout as wait } from 'node:timers/promises';
import type { Link, startProxy } from './proxy.js';
import { pick, random } from './seed.js';

type Proxy = Awaited<ReturnType<typeof startProxy>>;

const IDLE_MS = 1500;
const CUT_STATEMENTS = 0.2;
/** Each costs about half a second, and a second on a busy machine. */
const SILENCED_STATEMENTS = 0.2;

/** The faults of connections, by name. They last until `proxy.breakBy({})`. */
export function connectionFaults(proxy: Proxy): Record<string, () => Promise<void> | void> {
  const atNextUse = (cause: (link: Link) => void) =>
    proxy.breakBy({
      onRequest: (link) => {
        if (!isIdle(link)) return true;
        cause(link);
        return false;
      },
    });
  /** Affects a part of the statements, or of their responses. */
  const atStatements = (part: number, cause: (link: Link) => void) => {
    const onItsWayBack = new Set<Link>();
    proxy.breakBy({
      onRequest: (link, bytes) => {
        // a startup packet has no type, and is no statement
        if (bytes[0] === 0 || random() >= part) return true;
        if (random() < 0.5) onItsWayBack.add(link);
        else cause(link);
        return onItsWayBack.has(link);
      },
      onAnswer: (link) => {
        if (!onItsWayBack.delete(link)) return true;
        cause(link);
        return false;
      },
    });
  };
  return {
    nothing: () => undefined,
    'all connections go silent': () => silence(proxy.links),
    'half of the connections go silent': () =>
      silence([...proxy.links].filter(() => random() < 0.5)),
    'idle connections go silent at their next use': () => atNextUse((link) => silence([link])),
    'idle connections are reset at their next use': () => atNextUse(reset),
    'one in five statements is cut': () => atStatements(CUT_STATEMENTS, reset),
    'one in five statements silences its connection': () =>
      atStatements(SILENCED_STATEMENTS, (link) => silence([link])),
    'the server closes all connections': () => {
      for (const { toDatabase } of proxy.links) toDatabase.end();
    },
    'connections are refused for a while': () => {
      proxy.refuse(true);
      setTimeout(() => proxy.refuse(false), 2000 * random());
    },
    'all connections go silent while they are used': () => {
      setTimeout(() => silence(proxy.links), 50 * random());
    },
  };
}

function isIdle({ lastUsedAt }: Link): boolean {
  return Date.now() - lastUsedAt > IDLE_MS;
}

function silence(links: Iterable<Link>): void {
  for (const link of links) link.isSilent = true;
}

function reset({ toService }: Link): void {
  toService.resetAndDestroy();
}

/** Causes a random fault. Returns its name. */
export async function causeFault(proxy: Proxy): Promise<string> {
  const faults = connectionFaults(proxy);
  const name = pick(Object.keys(faults));
  await faults[name]!();
  return name;
}

/** Pauses between bursts, sometimes long enough for connections to be idle. */
export async function pauseBetweenBursts(): Promise<void> {
  await wait(pick([100, 600, 1200, 1800]) * (0.5 + random()));
}
