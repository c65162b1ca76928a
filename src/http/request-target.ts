import type { IncomingMessage } from 'node:http';

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * Replaces a target such as `http://host/path` by its path, and the header `Host` by its host (RFC 9112,
 * section 3.2.2), so that everything after it sees one form.
 */
export function toOriginForm<Request extends Pick<IncomingMessage, 'url' | 'headers'>>(
  request: Request,
): Request {
  if (request.url?.startsWith('/')) return request;
  const [, host, path] = ABSOLUTE_FORM.exec(request.url ?? '') ?? [];
  if (host === undefined) return request;
  request.headers.host = host;
  request.url = path!.startsWith('/') ? path! : `/${path}`;
  return request;
}
