import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ProblemError } from '../problems/problems.js';
import type { ContentType } from './media-types.js';

const BYTES_PER_MB = 1_048_576;
const CHUNK_BYTES = 262_144;
const FILE_PREFIX = 'marathon-upload-';
/** A file has its name for less than a millisecond. */
const ABANDONED_AFTER_MS = 60_000;

/** Many rows in one of the media types for rows. They can be read more than once. */
export interface RowSource {
  mediaType: string;
  /** The name of its encoding. The default is UTF-8. */
  charset?: string;
  /** A hash of the content: the same for two uploads of the same file. */
  fingerprint: string;
  open: () => Readable;
}

/**
 * A body with many rows, in a temporary file: it may be larger than the memory, and it is read again if
 * the connection to the database fails. The file has no name. It is unlinked while it is open, so it is
 * gone when the process ends, however that happens.
 */
export class UploadedRows implements RowSource {
  private constructor(
    readonly mediaType: string,
    readonly charset: string | undefined,
    readonly fingerprint: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Receives a body. On failure, the rest of the body is left unread.
   * @throws {ProblemError} `body_too_large` if it is larger than `maxMb` MiB.
   */
  static async receive(
    { mediaType, charset }: ContentType,
    body: Readable,
    maxMb: number,
  ): Promise<UploadedRows> {
    const file = await openUnnamedFile();
    try {
      const fingerprint = await writeTo(file, body, maxMb);
      return new UploadedRows(mediaType, charset, fingerprint, file);
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

/** One JSON object as an upload of one row. */
export function oneRow(members: unknown): RowSource {
  const text = Buffer.from(JSON.stringify([members]));
  return {
    mediaType: 'application/json',
    fingerprint: createHash('sha256').update(text).digest('hex'),
    open: () => Readable.from([text]),
  };
}

/** Removes the files of processes that were killed before they had unlinked them. */
export async function removeAbandonedUploads(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FILE_PREFIX)) continue;
    const path = join(tmpdir(), name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

/** @throws {ProblemError} if the `Content-Length` of a body, in bytes, exceeds `maxMb` MiB. */
export function assertUploadSize(contentLength: number, maxMb: number): void {
  if (contentLength <= maxMb * BYTES_PER_MB) return;
  throw new ProblemError(
    'body_too_large',
    `The upload is larger than ${maxMb} MiB, the limit of this service (MAX_UPLOAD_MB). ` +
      'Nothing was stored. Send it in parts.',
  );
}

async function openUnnamedFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `${FILE_PREFIX}${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

/** Returns the hash of the content. */
async function writeTo(file: FileHandle, body: Readable, maxMb: number): Promise<string> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    assertUploadSize(size, maxMb);
    hash.update(chunk);
    await file.appendFile(chunk);
  }
  return hash.digest('hex');
}

/** Not a stream of the file: destroying that would close the file, which may be read again. */
async function* readFrom(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (!bytesRead) return;
    yield chunk.subarray(0, bytesRead);
    position += bytesRead;
  }
}
