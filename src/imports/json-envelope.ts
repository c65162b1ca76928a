import { InvalidUploadError } from './row-errors.js';

const MAX_PREFIX_BYTES = 65_536;
const OBJECT = /^(?:\u{ef}\u{bb}\u{bf})?\s*\{/u;
/** RFC 7946, section 3 */
const GEOJSON = /"type"\s*:\s*"Feature(?:Collection)?"/;
/** An object whose first member is an array, as the service sends lists. */
const ENVELOPE = /^(?:\u{ef}\u{bb}\u{bf})?\s*\{\s*"([^"\\]*)"\s*:\s*(?=\[)/u;

/**
 * Passes on the array in `{"listMember":[…]}`, and any other text unchanged.
 * @throws {InvalidUploadError} if the array has another name, text follows it, or there is an object only.
 */
export async function* unwrapList(
  bytes: AsyncIterable<Buffer>,
  listMember: string,
): AsyncGenerator<Buffer> {
  let pending: Buffer | undefined;
  let isEnvelope = false;
  for await (const chunk of bytes) {
    if (pending && chunk.toString('latin1').trim()) {
      yield pending;
      pending = chunk;
    } else if (pending) pending = Buffer.concat([pending, chunk]);
    else {
      const [prefix = '', name] =
        ENVELOPE.exec(chunk.toString('latin1', 0, MAX_PREFIX_BYTES)) ?? [];
      isEnvelope = name !== undefined;
      if (!isEnvelope) rejectObject(chunk, listMember);
      if (isEnvelope && name !== listMember) throw wrongMember(name!, listMember);
      pending = chunk.subarray(prefix.length);
    }
  }
  if (pending) yield isEnvelope ? withoutBrace(pending) : pending;
}

function rejectObject(start: Buffer, listMember: string): void {
  const text = start.toString('latin1', 0, MAX_PREFIX_BYTES);
  if (!OBJECT.test(text)) return;
  const kind = GEOJSON.test(text) ? 'GeoJSON' : 'one object';
  throw new InvalidUploadError(
    `The JSON is ${kind}, and not a list of rows. Send an array of objects, or {"${listMember}":[…]}.`,
  );
}

function wrongMember(name: string, listMember: string): InvalidUploadError {
  return new InvalidUploadError(
    `The body is an object with the list "${name}". Send {"${listMember}":[…]}, or the array alone.`,
  );
}

function withoutBrace(end: Buffer): Buffer {
  const text = end.toString('latin1').trimEnd();
  if (text.endsWith('}')) return end.subarray(0, text.length - 1);
  throw new InvalidUploadError('The JSON object never ends. Send the complete file.');
}
