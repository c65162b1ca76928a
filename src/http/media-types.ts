import { extname } from 'node:path';

const CHARSET = 'charset=';

/** The media type of a body, and its parameter `charset` (RFC 9110, section 8.3). */
export interface ContentType {
  mediaType: string;
  charset?: string;
}

/** Parses the header `Content-Type`. */
export function parseContentType(header: string): ContentType {
  const [mediaType = '', ...parameters] = header
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith(CHARSET));
  return { mediaType, charset: charset?.slice(CHARSET.length).replaceAll('"', '') };
}

/** The media types of files with rows, by extension. */
export const MEDIA_TYPES: Record<string, string> = {
  csv: 'text/csv',
  tsv: 'text/csv',
  txt: 'text/csv',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
  json: 'application/json',
};

/** Undefined if the extension of the file tells none. */
export function mediaTypeOfFile(name: string): string | undefined {
  const extension = extensionOf(name);
  return Object.hasOwn(MEDIA_TYPES, extension) ? MEDIA_TYPES[extension] : undefined;
}

/** Without the dot, in lower case. */
export function extensionOf(name: string): string {
  return extname(name).slice(1).toLowerCase();
}
