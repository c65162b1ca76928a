import { TextDecoder } from 'node:util';
import { InvalidUploadError } from './row-errors.js';

const UTF_8 = 'utf-8';
const UTF_16_MARKS: Record<string, string> = { fffe: 'utf-16le', feff: 'utf-16be' };

/**
 * Decodes text to UTF-8. The encoding is that of a byte order mark of UTF-16, or else `charset`, one of the
 * labels of https://encoding.spec.whatwg.org/#names-and-labels. UTF-8 is passed on unchanged.
 * @throws {InvalidUploadError} if the encoding is unknown, or the text is not in it.
 */
export async function* decodeText(
  bytes: AsyncIterable<Buffer>,
  charset: string | undefined,
): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined;
  let isFirst = true;
  for await (const chunk of bytes) {
    if (isFirst) decoder = decoderOf(UTF_16_MARKS[chunk.toString('hex', 0, 2)] ?? charset);
    isFirst = false;
    yield decoder ? decode(decoder, chunk) : chunk;
  }
  if (decoder) yield decode(decoder);
}

/** Undefined for UTF-8. */
function decoderOf(charset: string = UTF_8): TextDecoder | undefined {
  try {
    const decoder = new TextDecoder(charset, { fatal: true });
    return decoder.encoding === UTF_8 ? undefined : decoder;
  } catch {
    throw new InvalidUploadError(
      `The encoding "${charset}" is not known. Use utf-8, utf-16le, windows-1252, iso-8859-2, shift_jis or another name of the WHATWG's Encoding Standard.`,
    );
  }
}

/** Without `chunk`, the text must have ended. */
function decode(decoder: TextDecoder, chunk?: Buffer): Buffer {
  try {
    return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }));
  } catch {
    throw new InvalidUploadError(
      `The file is not in the encoding ${decoder.encoding}. Name its encoding in Content-Type, or save it as UTF-8.`,
    );
  }
}
