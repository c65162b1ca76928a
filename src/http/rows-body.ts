import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { PayloadTooLargeException } from '@nestjs/common';
import { environment } from '../environment.js';

const BYTES_PER_MB = 1_048_576;
const CHUNK_BYTES = 262_144;
const FILE_PREFIX = 'marathon-upload-';
/** A file has its name for less than a millisecond. */
const ABANDONED_AFTER_MS = 60_000;

/** A body of many rows, which can be read more than once. Whoever received it discards it. */
export interface RowsBody {
  mediaType: string;
  /** Tells it from every other one that is sent under the same key. */
  fingerprint: string;
  open: () => Readable;
  discard: () => Promise<void>;
}

/**
 * Receives a body to its end, into a temporary file, because it may be larger than the memory, and is
 * read again if the connection to the database fails half way.
 *
 * The file has no name: it is unlinked while it is open, and so is gone with this process, however that
 * ends.
 */
export class RowsFile implements RowsBody {
  private constructor(
    readonly mediaType: string,
    readonly fingerprint: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Reads no further than it has to: what is left of a body that is refused is the caller's.
   * @throws {PayloadTooLargeException} if it is larger than `MAX_UPLOAD_MB`; what came is thrown away.
   */
  static async receive(mediaType: string, bytes: Readable): Promise<RowsFile> {
    const file = await openNameless();
    try {
      const fingerprint = await writeFrom(bytes, file, environment.maxUploadMb);
      return new RowsFile(mediaType, fingerprint, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  open(): Readable {
    return Readable.from(readFrom(this.file), { objectMode: false });
  }

  async discard(): Promise<void> {
    await this.file.close();
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

/**
 * Removes what a process left that was killed between two system calls, before it had unlinked its file.
 */
export async function removeAbandonedUploads(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FILE_PREFIX)) continue;
    const path = join(tmpdir(), name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `${FILE_PREFIX}${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

/** Returns a hash of what was written. */
async function writeFrom(bytes: Readable, file: FileHandle, maxMb: number): Promise<string> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxMb * BYTES_PER_MB) throw uploadTooLarge(maxMb);
    hash.update(chunk);
    await file.appendFile(chunk);
  }
  return hash.digest('hex');
}

/** Not by a stream of the file: one that is destroyed closes the file, which may be read again. */
async function* readFrom(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(CHUNK_BYTES),
      0,
      CHUNK_BYTES,
      position,
    );
    if (!bytesRead) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** The answer to an upload that is, or says that it is, larger than allowed. */
export function uploadTooLarge(maxMb: number): PayloadTooLargeException {
  return new PayloadTooLargeException(
    `The upload is larger than ${maxMb} MiB, the most that is received here; nothing was stored. Send it in parts.`,
  );
}
