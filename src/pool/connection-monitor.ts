import { Logger } from '@nestjs/common';
import type { BackendStates, BackendState } from './backend-states.js';
import type { ConnectionHealth } from './connection-health.js';
import { DeadlineExceededError, type Deadline } from './deadline.js';
import { hasErrorCode } from './error-code.js';
import { ResponseTimeoutError, type RecyclingClient } from './recycling-client.js';
import { reportPoolEvent } from './pool-events.js';

const CHECK_INTERVAL_MS = 100;
/**
 * After this time the server is queried for the state of a statement; then again whenever the statement
 * has taken half as long again, and at least every five seconds.
 */
const INSPECT_AFTER_MS = 200;
const INSPECT_GROWTH = 1.5;
const MAX_INSPECT_INTERVAL_MS = 5000;
/** The connection that queries the server may be dead too, so others are opened meanwhile. */
const MAX_CONCURRENT_INSPECTIONS = 3;
/** How long a connection may transfer nothing while the server waits for our data. */
const RECEIVE_TIMEOUT_MS = 5000;
/** How long the server may be unreachable before its statements are abandoned. */
const UNREACHABLE_TIMEOUT_MS = 5000;
/** The server is reachable, but has no free connection. */
const TOO_MANY_CONNECTIONS = '53300';

/** A connection that is monitored. */
interface MonitoredLease {
  client: RecyclingClient;
  deadline: Deadline;
  /** Since when it owes a response and transferred nothing; undefined if it owes none. */
  waitingSince?: number;
  transferredBytes: number;
  /** How long it waits until the server is queried about it. */
  inspectAfterMs: number;
  state?: BackendState;
  /** Since when the server could not be queried about it. */
  unreachableSince?: number;
}

/**
 * Monitors the connections that are checked out, and closes dead ones, so that no caller waits for a response
 * that never arrives. A connection is dead if
 * - its statement has no response at the deadline;
 * - the server has finished the statement and the response does not arrive, or it waits for data and all
 *   data was sent;
 * - the server cannot be queried, and the response timeout has passed.
 *
 * A slow statement that the server works on is not interrupted before its deadline.
 */
export class ConnectionMonitor {
  private readonly log = new Logger(ConnectionMonitor.name);
  private readonly leases = new Map<RecyclingClient, MonitoredLease>();
  private timer?: NodeJS.Timeout;
  private inspections = 0;

  /** `onUnresponsive` is called if a statement has no response at its deadline for an unknown reason. */
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
      inspectAfterMs: INSPECT_AFTER_MS,
    });
    this.timer ??= setInterval(() => {
      // what arrived while this process was busy or suspended is read first
      setImmediate(() => this.check());
    }, CHECK_INTERVAL_MS);
  }

  unwatch(client: RecyclingClient): void {
    this.leases.delete(client);
  }

  /** Closes those connections that are checked out and that `condition` selects. */
  discard(reason: Error, condition: (client: RecyclingClient) => boolean): void {
    for (const client of this.leases.keys()) if (condition(client)) client.discard(reason);
  }

  private check(): void {
    if (!this.leases.size) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    const now = Date.now();
    const overdue = [...this.leases.values()].filter((lease) => this.isOverdue(lease, now));
    if (overdue.length && this.inspections < MAX_CONCURRENT_INSPECTIONS)
      void this.inspect(overdue, now);
  }

  /** Whether the server should be queried about a connection. A dead connection is closed. */
  private isOverdue(lease: MonitoredLease, now: number): boolean {
    const { client, deadline } = lease;
    updateWaiting(lease, now);
    if (lease.waitingSince === undefined || client.isClosed) return false;
    if (now >= deadline.statementsEndAt) {
      client.discard(new DeadlineExceededError());
      if (lease.state !== 'working') this.onUnresponsive();
      return false;
    }
    const waitedMs = now - lease.waitingSince;
    const isUnreachable = now - (lease.unreachableSince ?? now) >= UNREACHABLE_TIMEOUT_MS;
    if (isUnreachable || waitedMs >= responseTimeoutMs(lease)) this.close(lease, waitedMs);
    return waitedMs >= lease.inspectAfterMs && !client.isClosed;
  }

  private async inspect(overdue: MonitoredLease[], now: number): Promise<void> {
    this.inspections += 1;
    for (const lease of overdue)
      lease.inspectAfterMs = now - lease.waitingSince! + INSPECT_AFTER_MS;
    const waitingSince = new Map(overdue.map((lease) => [lease, lease.waitingSince!]));
    const pids = overdue.flatMap(({ client }) => client.backendPid ?? []);
    try {
      await this.backends.inspect(pids, (states) => this.apply(waitingSince, states));
    } catch (error) {
      this.log.debug(`The processes of the server could not be queried: ${String(error)}`);
      const isFull = hasErrorCode(error, TOO_MANY_CONNECTIONS);
      for (const lease of overdue) {
        lease.state = undefined;
        lease.unreachableSince ??= isFull ? undefined : Date.now();
      }
    } finally {
      this.inspections -= 1;
    }
  }

  /** Closes the connections whose server process has finished, and returns the ids of the processes. */
  private apply(
    inspected: Map<MonitoredLease, number>,
    states: Map<number, BackendState> | undefined,
  ): number[] {
    const now = Date.now();
    const finished: number[] = [];
    for (const [lease, waitingSince] of inspected) {
      const { client } = lease;
      const pid = client.backendPid;
      updateWaiting(lease, now);
      // the statement that was inspected has its response by now
      if (lease.waitingSince !== waitingSince) continue;
      lease.state = pid === undefined ? undefined : states?.get(pid);
      lease.unreachableSince = undefined;
      lease.inspectAfterMs = nextInspectAfterMs(now - waitingSince);
      const isReceivingAll = lease.state === 'receiving' && !client.isSending;
      const isDead = lease.state === 'finished' || isReceivingAll;
      if (!isDead || this.leases.get(client) !== lease) continue;
      finished.push(pid!);
      this.close(lease, now - waitingSince);
    }
    return finished;
  }

  private close({ client, waitingSince }: MonitoredLease, waitedMs: number): void {
    this.health.noteDead(waitingSince!);
    reportPoolEvent('abandoned');
    client.discard(new ResponseTimeoutError(waitedMs));
  }
}

function updateWaiting(lease: MonitoredLease, now: number): void {
  const { client, transferredBytes } = lease;
  if (client.isReady) {
    lease.waitingSince = undefined;
    return;
  }
  lease.transferredBytes = client.transferredBytes;
  const isMoving = lease.transferredBytes !== transferredBytes || client.hasUnreadResponse;
  if (!isMoving && lease.waitingSince !== undefined) return;
  lease.waitingSince = now;
  lease.inspectAfterMs = INSPECT_AFTER_MS;
  lease.state = undefined;
  lease.unreachableSince = undefined;
}

function nextInspectAfterMs(waitedMs: number): number {
  return Math.min(waitedMs * INSPECT_GROWTH, waitedMs + MAX_INSPECT_INTERVAL_MS);
}

function responseTimeoutMs({ state, deadline }: MonitoredLease): number {
  if (state === 'working') return Infinity;
  if (state === 'receiving') return Math.min(RECEIVE_TIMEOUT_MS, deadline.responseTimeoutMs);
  return deadline.responseTimeoutMs;
}
