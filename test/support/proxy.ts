import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What happens to connections. A handler may close or silence them. */
export interface ConnectionFault {
  /** Called before bytes are sent to the database. False drops them. */
  onRequest?: (link: Link, bytes: Buffer) => boolean;
  /** Called before bytes are sent to the service. False drops them. */
  onAnswer?: (link: Link, bytes: Buffer) => boolean;
}

/** One connection through the proxy. */
export interface Link {
  toService: Socket;
  toDatabase: Socket;
  lastUsedAt: number;
  /** Nothing passes any more, and neither side notices. */
  isSilent?: boolean;
}

/** A proxy between the service and its database that causes faults. */
export async function startProxy(databaseUrl: string) {
  const links = new Set<Link>();
  const proxy = { fault: {} as ConnectionFault, isRefusing: false };
  const server = createServer((toService) => {
    if (proxy.isRefusing) return void toService.resetAndDestroy();
    const link = { toService, toDatabase: connectTo(databaseUrl), lastUsedAt: Date.now() };
    links.add(link);
    pass(link, proxy, () => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = new URL(databaseUrl.replace('@/', '@x/')).pathname;
  return {
    // without TLS, so that the bytes can be read
    url: `postgresql://postgres@127.0.0.1:${port}${database}?sslmode=disable`,
    links,
    /** Causes this fault until another one is set. */
    breakBy: (fault: ConnectionFault) => void (proxy.fault = fault),
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

function connectTo(databaseUrl: string): Socket {
  if (databaseUrl.includes('@/')) return connect(socketPathOf(databaseUrl));
  const { hostname, port } = new URL(databaseUrl);
  return connect(Number(port), hostname);
}

/** The socket of the PostgreSQL of the test run. */
export function socketPathOf(databaseUrl: string): string {
  const { searchParams } = new URL(databaseUrl.replace('@/', '@x/'));
  return `${searchParams.get('host')}/.s.PGSQL.5432`;
}

function pass(link: Link, proxy: { fault: ConnectionFault }, forget: () => void): void {
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
