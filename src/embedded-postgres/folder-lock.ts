import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hasErrorCode } from '../pool/error-code.js';

/**
 * A lock that ends with its process: the process that listens on the socket holds it. A process id in a
 * file is not enough, because after a crash in a container another process may get the same id.
 */
export class FolderLock {
  private holder?: Server;

  constructor(private readonly socketPath: string) {}

  /** Acquires the lock without waiting. Returns whether it succeeded. */
  async tryAcquire(): Promise<boolean> {
    if (await isListening(this.socketPath)) return false;
    await rm(this.socketPath, { force: true });
    const holder = createServer((socket) => socket.destroy());
    try {
      holder.listen(this.socketPath).unref();
      await once(holder, 'listening');
    } catch (error) {
      if (hasErrorCode(error, 'EADDRINUSE')) return false;
      throw error;
    }
    this.holder = holder;
    return true;
  }

  release(): void {
    this.holder?.close();
    this.holder = undefined;
  }

  get isHeld(): boolean {
    return this.holder !== undefined;
  }
}

/** Whether a process listens on a unix socket. */
export async function isListening(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE')) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
