import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { socketPathOf } from './proxy.js';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const REFUSAL = 'SFATAL\0C28000\0Mno pg_hba.conf entry for host "here", no encryption\0\0';

const certificates = new URL('tls/', import.meta.url).pathname;

/** Signed by `authority.crt`, for the name localhost only. */
const CERTIFICATE = {
  key: readFileSync(`${certificates}server.key`),
  cert: readFileSync(`${certificates}server.crt`),
};

/** Files for `sslrootcert`. */
export const AUTHORITY = `${certificates}authority.crt`;
export const ANOTHER_AUTHORITY = `${certificates}another-authority.crt`;

/** A PostgreSQL that supports or requires TLS, in front of one that has none. */
export async function startTlsServer(databaseUrl: string, { refusesPlain = false } = {}) {
  const sockets = new Set<Socket>();
  const server = createServer(async (socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    const [start] = (await once(socket, 'data')) as [Buffer<ArrayBuffer>];
    if (start.equals(SSL_REQUEST)) {
      socket.write('S');
      return join(new TLSSocket(socket, { isServer: true, ...CERTIFICATE }), databaseUrl);
    }
    if (refusesPlain) return void socket.end(refusal());
    return join(socket, databaseUrl, start);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function join(socket: Socket, databaseUrl: string, start = Buffer.alloc(0)): void {
  const toDatabase = connect(socketPathOf(databaseUrl));
  toDatabase.write(start);
  socket.pipe(toDatabase).pipe(socket);
  const end = () => void [socket, toDatabase].map((side) => side.destroy());
  for (const side of [socket, toDatabase]) side.on('error', end).on('close', end);
}

function refusal(): Buffer {
  const text = Buffer.from(REFUSAL);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}
