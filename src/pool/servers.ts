import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type pg from 'pg';
import { AdaptiveTimeout } from './adaptive-timeout.js';
import type { ServerAddress, TargetServer } from './pool-types.js';
import type { ProbeConnections } from './probe-connections.js';
import type { RecyclingClient } from './recycling-client.js';
import {
  readServerState,
  SERVER_STATE_SQL,
  type ServerHistory,
  type ServerState,
} from './server-state.js';

/** While connections are used, all servers are asked this often whether another one was promoted. */
const WATCH_INTERVAL_MS = 1000;
const [MIN_PROBE_TIMEOUT_MS, MAX_PROBE_TIMEOUT_MS] = [500, 2000];
/** How long a server that was found waits for an answer of the others, which may have replaced it. */
const GRACE_MS = 200;

/** The server must not be used: it accepts no writes, or another one was promoted in its place. */
export class NotPrimaryError extends Error {
  override readonly name = 'NotPrimaryError';

  constructor(reason: string) {
    super(`The server is not the primary: ${reason}.`);
  }
}

/** A server that can be used. */
interface Candidate {
  address: ServerAddress;
  history?: ServerHistory;
}

/**
 * The servers of one database. Connections go to the primary; of several, to the one that was promoted last.
 * A server with an earlier timeline than a known one is not used again: what is written there is lost.
 */
export class Servers {
  /** Called when another server was promoted. Connections that are not current must be closed. */
  onPromotion: () => void = () => undefined;
  private readonly log = new Logger(Servers.name);
  private readonly timeout = new AdaptiveTimeout(MIN_PROBE_TIMEOUT_MS, MAX_PROBE_TIMEOUT_MS);
  /** The latest that is known. */
  private history?: ServerHistory;
  private searching?: Promise<void>;
  private watching?: NodeJS.Timeout;
  private isUsed = false;

  /** `options` are those of new connections. Their host and port are set to those of the primary. */
  constructor(
    private readonly options: pg.ClientConfig,
    private readonly probes: ProbeConnections,
    private readonly addresses: ServerAddress[] = [],
    private readonly target: TargetServer = 'primary',
  ) {
    if (this.hasSeveral) Object.assign(options, addresses[0]);
  }

  get hasHistory(): boolean {
    return this.history !== undefined;
  }

  /**
   * Decides whether a new connection is used.
   * @throws {NotPrimaryError} if not.
   */
  admit(state: ServerState): void {
    this.assertUsable(state);
    this.noteHistory(state.history);
  }

  /** Whether no other server is known to have replaced that of the connection. */
  isCurrent({ history }: RecyclingClient): boolean {
    return !this.isReplaced(history);
  }

  /** Searches the primary, after a connection failed. Resolves also if there is none. */
  async search(): Promise<void> {
    if (!this.hasSeveral) return;
    this.searching ??= this.searchAll().finally(() => (this.searching = undefined));
    await this.searching;
  }

  /** Call it when a connection is used: an old primary that goes on is noticed by asking the others. */
  noteUse(): void {
    if (!this.hasSeveral) return;
    this.isUsed = true;
    this.watching ??= setInterval(() => this.watch(), WATCH_INTERVAL_MS).unref();
  }

  stopWatching(): void {
    clearInterval(this.watching);
    this.watching = undefined;
  }

  private get hasSeveral(): boolean {
    return this.addresses.length > 1;
  }

  private watch(): void {
    if (this.isUsed) void this.search();
    else this.stopWatching();
    this.isUsed = false;
  }

  private assertUsable({ isReadOnly, history }: ServerState): void {
    if (isReadOnly && this.hasSeveral && this.target === 'primary')
      throw new NotPrimaryError('it accepts no writes');
    if (this.isReplaced(history)) throw new NotPrimaryError('another one was promoted');
  }

  private isReplaced(history: ServerHistory | undefined): boolean {
    const known = this.history;
    return Boolean(
      history && known && history.system === known.system && history.timeline < known.timeline,
    );
  }

  private async searchAll(): Promise<void> {
    const found: Candidate[] = [];
    const probes = this.addresses.map(async (address) => {
      found.push(await this.probe(address));
    });
    const first = Promise.any(probes).then(untilOthersAnswer, () => undefined);
    await Promise.race([Promise.allSettled(probes), first]);
    const [latest] = found.toSorted((a, b) => this.compare(a, b));
    if (latest) this.use(latest);
  }

  /** The later timeline first; of equal ones that in use. */
  private compare(a: Candidate, b: Candidate): number {
    const later = (b.history?.timeline ?? 0) - (a.history?.timeline ?? 0);
    return later || Number(this.isInUse(b)) - Number(this.isInUse(a));
  }

  private isInUse({ address: { host, port } }: Candidate): boolean {
    return host === this.options.host && port === this.options.port;
  }

  private use(candidate: Candidate): void {
    const { address, history } = candidate;
    if (!this.isInUse(candidate))
      this.log.warn(`The primary is now ${address.host}:${address.port}`);
    Object.assign(this.options, address);
    this.noteHistory(history);
  }

  private noteHistory(history: ServerHistory | undefined): void {
    if (!history) return;
    const known = this.history;
    this.history = history;
    if (known && this.isReplaced(known)) this.onPromotion();
  }

  /** @throws if the server does not answer, or must not be used. */
  private async probe(address: ServerAddress): Promise<Candidate> {
    const options = { ...this.options, ...address };
    const state = await this.probes.run(options, this.timeout, async (client) =>
      readServerState(await client.query(SERVER_STATE_SQL)),
    );
    this.assertUsable(state);
    return { address, history: state.history };
  }
}

async function untilOthersAnswer(): Promise<void> {
  await wait(GRACE_MS, undefined, { ref: false });
}
