import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hasErrorCode } from './error-code.js';

/**
 * A lock that cannot outlive its holder: whoever listens on the socket holds it. A number in a file
 * would not do, because after a crash in a container the same process number soon belongs to
 * somebody else.
 */
export class FolderLock {
  private holder?: Server;

  constructor(private readonly socketPath: string) {}

  /** Takes the lock, at once or not at all. */
  async tryAcquire(): Promise<boolean> {
    if (await isListening(this.socketPath)) return false;
    await rm(this.socketPath, { force: true });
    const holder = createServer((visitor) => visitor.destroy());
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

/** Whether somebody answers on this unix socket. */
export async function isListening(socketPath: string): Promise<boolean> {
  const visitor = connect(socketPath);
  try {
    await once(visitor, 'connect');
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE')) return false;
    throw error;
  } finally {
    visitor.destroy();
  }
}
