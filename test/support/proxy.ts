import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What happens to a connection when bytes go by; it may close, swallow or change its mind. */
export interface ValidationIssue {
  /** Before bytes of the service go on to the database; false swallows them. */
  onRequest?: (link: Link, bytes: Buffer) => boolean;
  /** Before bytes of the database go back to the service; false swallows them. */
  onAnswer?: (link: Link, bytes: Buffer) => boolean;
}

/** One connection through the proxy. */
export interface Link {
  toService: Socket;
  toDatabase: Socket;
  lastUsedAt: number;
  /** From then on nothing passes, and neither side is told. */
  isSilent?: boolean;
}

/** Stands between the service and its database, and breaks what passes, as it is told. */
export async function startProxy(databaseUrl: string) {
  const links = new Set<Link>();
  const proxy = { fault: {} as ValidationIssue, isRefusing: false };
  const socketPath = socketPathOf(databaseUrl);
  const server = createServer((toService) => {
    if (proxy.isRefusing) return void toService.resetAndDestroy();
    const link = { toService, toDatabase: connect(socketPath), lastUsedAt: Date.now() };
    links.add(link);
    pass(link, proxy, () => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = new URL(databaseUrl.replace('@/', '@x/')).pathname;
  return {
    url: `postgresql://postgres@127.0.0.1:${port}${database}`,
    links,
    /** From now on, until another one. */
    breakBy: (fault: ValidationIssue) => void (proxy.fault = fault),
    refuse: (isRefusing: boolean) => {
      proxy.isRefusing = isRefusing;
      if (isRefusing) for (const { toService } of links) toService.resetAndDestroy();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const { toService, toDatabase } of links) {
        toService.destroy();
        toDatabase.destroy();
      }
      await closed;
    },
  };
}

/** Where the test run's PostgreSQL listens. */
export function socketPathOf(databaseUrl: string): string {
  const { searchParams } = new URL(databaseUrl.replace('@/', '@x/'));
  return `${searchParams.get('host')}/.s.PGSQL.5432`;
}

function pass(link: Link, proxy: { fault: ValidationIssue }, forget: () => void): void {
  const { toService, toDatabase } = link;
  toService.on('data', (bytes: Buffer) => {
    if (!link.isSilent && (proxy.fault.onRequest?.(link, bytes) ?? true)) toDatabase.write(bytes);
    link.lastUsedAt = Date.now();
  });
  toDatabase.on('data', (bytes: Buffer) => {
    if (!link.isSilent && (proxy.fault.onAnswer?.(link, bytes) ?? true)) toService.write(bytes);
    link.lastUsedAt = Date.now();
  });
  const end = () => {
    toService.destroy();
    toDatabase.destroy();
    forget();
  };
  for (const socket of [toService, toDatabase]) socket.on('error', end).on('close', end);
}
