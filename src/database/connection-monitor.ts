import { Logger } from '@nestjs/common';
import type { BackendStates, BackendState } from './backend-states.js';
import type { ConnectionHealth } from './connection-health.js';
import { DeadlineExceeded, type Deadline } from './deadline.js';
import { hasErrorCode } from './error-code.js';
import { ResponseTimeout, type RecyclingClient } from './recycling-client.js';

const CHECK_INTERVAL_MS = 100;
/**
 * A statement that takes longer is not late yet, but the server is asked whether it works on it: after
 * that again each time it has taken half as long again, and every five seconds at least.
 */
const ASK_SERVER_AFTER_MS = 300;
const ASK_SERVER_GROWTH = 1.5;
const MAX_ASK_SERVER_INTERVAL_MS = 5000;
/** The connection over which the server is asked may be dead too: another one is opened meanwhile. */
const MAX_CONCURRENT_QUESTIONS = 3;
/** How long a connection may stand still while the server waits for data that we send. */
const RECEIVE_TIMEOUT_MS = 5000;
/** How long the server may be out of reach before whatever runs there counts as lost. */
const UNREACHABLE_TIMEOUT_MS = 5000;
/** The server is there, but has no room for one more connection. */
const TOO_MANY_CONNECTIONS = '53300';

/** A connection that is checked out. */
interface Lease {
  client: RecyclingClient;
  deadline: Deadline;
  /** Since when it has owed a response without a byte in either direction; undefined while it owes none. */
  waitingSince?: number;
  transferredBytes: number;
  /** How long it may wait until the server is asked about it. */
  askAfterMs: number;
  state?: BackendState;
  /** Since when the server could not be reached to be asked about it. */
  unreachableSince?: number;
}

/**
 * Watches the connections that are checked out, and closes those that are dead, so that nobody waits for
 * a response that will never come. A connection is dead if
 * - its statement has no response at the end of the deadline;
 * - the server says that it is done with the statement, but the response does not arrive, or that it
 *   waits for data, but all of it was sent;
 * - the server cannot be asked, and the response timeout has passed.
 *
 * Slow statements that the server works on are left alone until their deadline.
 */
export class ConnectionMonitor {
  private readonly log = new Logger(ConnectionMonitor.name);
  private readonly leases = new Map<RecyclingClient, Lease>();
  private timer?: NodeJS.Timeout;
  private questions = 0;

  /** `onUnresponsive` is called if a statement has no response at its deadline, and nobody can tell why. */
  constructor(
    private readonly backends: BackendStates,
    private readonly health: ConnectionHealth,
    private readonly onUnresponsive: () => void,
  ) {}

  watch(client: RecyclingClient, deadline: Deadline): void {
    this.leases.set(client, {
      client,
      deadline,
      transferredBytes: 0,
      askAfterMs: ASK_SERVER_AFTER_MS,
    });
    this.timer ??= setInterval(() => {
      // what arrived while this process was busy or frozen is read first
      setImmediate(() => this.check());
    }, CHECK_INTERVAL_MS);
  }

  unwatch(client: RecyclingClient): void {
    this.leases.delete(client);
  }

  /** Closes every connection that is checked out. */
  discardAll(reason: Error): void {
    for (const { client } of this.leases.values()) client.discard(reason);
  }

  private check(): void {
    if (!this.leases.size) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    const now = Date.now();
    const overdue = [...this.leases.values()].filter((lease) => this.isOverdue(lease, now));
    if (overdue.length && this.questions < MAX_CONCURRENT_QUESTIONS)
      void this.askServer(overdue, now);
  }

  /** Whether the server should be asked about a connection; one that is dead by now is closed. */
  private isOverdue(lease: Lease, now: number): boolean {
    const { client, deadline } = lease;
    updateWaiting(lease, now);
    if (lease.waitingSince === undefined || client.isClosed) return false;
    if (now >= deadline.statementsEndAt) {
      client.discard(new DeadlineExceeded());
      if (lease.state !== 'working') this.onUnresponsive();
      return false;
    }
    const waitedMs = now - lease.waitingSince;
    const isUnreachable = now - (lease.unreachableSince ?? now) >= UNREACHABLE_TIMEOUT_MS;
    if (isUnreachable || waitedMs >= responseTimeoutMs(lease)) this.close(lease, waitedMs);
    return waitedMs >= lease.askAfterMs && !client.isClosed;
  }

  private async askServer(overdue: Lease[], now: number): Promise<void> {
    this.questions += 1;
    for (const lease of overdue) lease.askAfterMs = now - lease.waitingSince! + ASK_SERVER_AFTER_MS;
    const askedAbout = new Map(overdue.map((lease) => [lease, lease.waitingSince!]));
    const pids = overdue.flatMap(({ client }) => client.backendPid ?? []);
    try {
      await this.backends.inspect(pids, (states) => this.apply(askedAbout, states));
    } catch (error) {
      this.log.debug(`The server was not asked about its processes: ${String(error)}`);
      const isFull = hasErrorCode(error, TOO_MANY_CONNECTIONS);
      for (const lease of overdue) {
        lease.state = undefined;
        lease.unreachableSince ??= isFull ? undefined : Date.now();
      }
    } finally {
      this.questions -= 1;
    }
  }

  /** Closes the connections whose server process is done, and returns the numbers of the processes. */
  private apply(
    askedAbout: Map<Lease, number>,
    states: Map<number, BackendState> | undefined,
  ): number[] {
    const now = Date.now();
    const finished: number[] = [];
    for (const [lease, waitingSince] of askedAbout) {
      const { client } = lease;
      const pid = client.backendPid;
      updateWaiting(lease, now);
      // a response that arrived meanwhile belongs to the statement that was asked about
      if (lease.waitingSince !== waitingSince) continue;
      lease.state = pid === undefined ? undefined : states?.get(pid);
      lease.unreachableSince = undefined;
      lease.askAfterMs = nextAskAfterMs(now - waitingSince);
      const isReceivingAll = lease.state === 'receiving' && !client.isSending;
      const isDead = lease.state === 'finished' || isReceivingAll;
      if (!isDead || this.leases.get(client) !== lease) continue;
      finished.push(pid!);
      this.close(lease, now - waitingSince);
    }
    return finished;
  }

  private close({ client, waitingSince }: Lease, waitedMs: number): void {
    this.health.noteDead(waitingSince!);
    client.discard(new ResponseTimeout(waitedMs));
  }
}

function updateWaiting(lease: Lease, now: number): void {
  const { client, transferredBytes } = lease;
  if (client.isReady) {
    lease.waitingSince = undefined;
    return;
  }
  lease.transferredBytes = client.transferredBytes;
  const isMoving = lease.transferredBytes !== transferredBytes || client.hasUnreadResponse;
  if (!isMoving && lease.waitingSince !== undefined) return;
  lease.waitingSince = now;
  lease.askAfterMs = ASK_SERVER_AFTER_MS;
  lease.state = undefined;
  lease.unreachableSince = undefined;
}

function nextAskAfterMs(waitedMs: number): number {
  return Math.min(waitedMs * ASK_SERVER_GROWTH, waitedMs + MAX_ASK_SERVER_INTERVAL_MS);
}

function responseTimeoutMs({ state, deadline }: Lease): number {
  if (state === 'working') return Infinity;
  if (state === 'receiving') return Math.min(RECEIVE_TIMEOUT_MS, deadline.responseTimeoutMs);
  return deadline.responseTimeoutMs;
}
