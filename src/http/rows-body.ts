import { createHash, randomUUID, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A body of many rows, which can be read more than once. Whoever received it discards it. */
export interface RowsBody {
  mediaType: string;
  /** Tells it from every other one that is sent under the same key. */
  fingerprint: string;
  open: () => Readable;
  discard: () => Promise<void>;
}

/**
 * Takes in a body to its end, into a temporary file, because it may be larger than the memory, and has
 * to be read again where the database goes away half way.
 */
export class RowsFile implements RowsBody {
  private constructor(
    readonly mediaType: string,
    readonly fingerprint: string,
    private readonly path: string,
  ) {}

  /** What came of a body that breaks off is thrown away. */
  static async receive(mediaType: string, bytes: Readable): Promise<RowsFile> {
    const path = join(tmpdir(), `marathon-rows-${randomUUID()}`);
    const hash = createHash('sha256');
    try {
      await pipeline(bytes, hashing(hash), createWriteStream(path, { mode: 0o600 }));
      return new RowsFile(mediaType, hash.digest('hex'), path);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  open(): Readable {
    return createReadStream(this.path);
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** One object as an array of one row. */
export function oneRow(members: unknown): RowsBody {
  const text = Buffer.from(JSON.stringify([members]));
  return {
    mediaType: 'application/json',
    fingerprint: createHash('sha256').update(text).digest('hex'),
    open: () => Readable.from([text]),
    discard: async () => undefined,
  };
}

function hashing(hash: Hash) {
  return async function* pass(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
}
