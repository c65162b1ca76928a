import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { ProblemError } from '../problems/problems.js';
import { MEDIA_TYPES, mediaTypeOfFile } from './media-types.js';
import { UploadedRows } from './upload.js';

const ADVICE = 'Send one file in the form and nothing else. Parameters belong in the address.';

/**
 * Receives the file of a form (RFC 7578). On failure, the rest of the body is left unread.
 * @throws {ProblemError} `invalid_upload` if the form has not exactly one part, a file; `body_too_large`
 */
export async function receiveForm(
  headers: IncomingHttpHeaders,
  body: Readable,
  maxMb: number,
): Promise<UploadedRows> {
  const form = openForm(headers);
  const files: FormFile[] = [];
  // the parser reports a failure several times; the first one counts
  form.on('error', () => undefined);
  form.on('field', (name) => form.destroy(invalidForm(`The form has the field "${name}".`)));
  form.on('file', (_, stream, name, _encoding, type) => {
    if (files.length) return void form.destroy(invalidForm('The form has more than one file.'));
    stream.on('error', (error) => form.destroy(error));
    const rows = receiveFile(stream, name, type, maxMb);
    rows.catch((error: Error) => form.destroy(error));
    files.push({ stream, rows });
  });
  try {
    await Promise.all([once(body.pipe(form), 'finish'), finished(body, { writable: false })]);
    if (!files[0]) throw invalidForm('The form has no file.');
    return await files[0].rows;
  } catch (error) {
    body.unpipe(form);
    form.destroy();
    for (const file of files) await discard(file);
    throw isMalformed(error) ? invalidForm(`The form cannot be read: ${error.message}.`) : error;
  }
}

interface FormFile {
  stream: Readable;
  rows: Promise<UploadedRows>;
}

/** The caller has the error already, if the file was not received. */
async function discard({ stream, rows }: FormFile): Promise<void> {
  stream.destroy();
  await rows.then(
    async (received) => received.discard(),
    () => undefined,
  );
}

/** The errors of the parser have no class and no code. It calls the boundary a needle. */
function isMalformed(error: unknown): error is Error {
  return (
    error instanceof Error &&
    !('code' in error) &&
    /multipart|malformed|needle/i.test(error.message)
  );
}

function openForm(headers: IncomingHttpHeaders): BusboyInstance {
  const contentType = headers['content-type']!;
  try {
    return new Busboy({ headers: { ...headers, 'content-type': contentType } });
  } catch (error) {
    throw isMalformed(error) ? invalidForm(`The form cannot be read: ${error.message}.`) : error;
  }
}

async function receiveFile(
  stream: Readable,
  fileName: string | undefined,
  type: string,
  maxMb: number,
): Promise<UploadedRows> {
  const known = Object.values(MEDIA_TYPES).find((mediaType) => mediaType === type);
  const mediaType = known ?? mediaTypeOfFile(fileName ?? '');
  if (mediaType) return UploadedRows.receive({ mediaType }, stream, maxMb);
  throw new ProblemError(
    'invalid_upload',
    `The file ${fileName ?? ''} is of the type ${type}. Send CSV, JSON or NDJSON, with the extension csv, json or ndjson.`,
  );
}

function invalidForm(reason: string): ProblemError {
  return new ProblemError('invalid_upload', `${reason} ${ADVICE}`);
}
