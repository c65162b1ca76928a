import { connect, type Socket } from 'node:net';

/** Runs `work` while clients follow the changes. Each reads what it is sent. */
export async function listenUntil<T>(
  url: string,
  count: number,
  work: () => Promise<T>,
): Promise<T> {
  const sockets: Socket[] = [];
  try {
    const seq = await lastSeq(url);
    for (let index = 0; index < count; index += 1) sockets.push(listen(url, seq));
    return await work();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function lastSeq(url: string): Promise<string> {
  const { headers } = await fetch(`${url}/marathon/?limit=1`);
  return /\d+/.exec(headers.get('etag') ?? '0')![0];
}

function listen(url: string, since: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(
    `GET /marathon/changes?since=${since} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
  );
  return socket;
}
