import { ServerResponse, type IncomingMessage } from 'node:http';

/** What this class uses of `node:http` beyond its documentation. A test checks the headers that are sent. */
interface ResponseOfNode {
  _storeHeader: (this: ServerResponse, statusLine: string, headers: unknown) => void;
}

const { _storeHeader: storeHeader } = ServerResponse.prototype as unknown as ResponseOfNode;

/** A response that begins with prepared headers. Nobody else may set the same ones. */
export interface PreparedResponse {
  /** Lines that end with CR LF. */
  preparedHeaders: string;
  /** Is called before they are sent. */
  onBegin: (() => void) | undefined;
}

/**
 * Calls `listener` when a response begins, before its head is sent. It may add to `preparedHeaders`.
 *
 * Packages that do this give the response a `writeHead` of its own. From the first such response on, all others are
 * slower, because code that is compiled for one shape of an object reads several of them from a table.
 */
export function whenBegun(
  response: ServerResponse,
  listener: (prepared: PreparedResponse) => void,
): void {
  const prepared = response as ServerResponse & PreparedResponse;
  const { onBegin } = prepared;
  prepared.onBegin = () => {
    onBegin?.();
    listener(prepared);
  };
}

/**
 * The class of responses that begin with the same headers. They are one text: Node validates, compares and joins each
 * header of each response, which costs a small one several percent.
 * https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener
 */
export function responsesWith(preparedHeaders: string): typeof ServerResponse {
  return class<Request extends IncomingMessage = IncomingMessage>
    extends ServerResponse<Request>
    implements PreparedResponse
  {
    preparedHeaders = preparedHeaders;
    onBegin: (() => void) | undefined = undefined;

    _storeHeader(statusLine: string, headers: unknown): void {
      this.onBegin?.();
      storeHeader.call(this, statusLine + this.preparedHeaders, headers);
    }
  };
}
