import { send, untilAnswered } from './api.ts';
import { withKey } from './keys.ts';

/**
 * Reads from the service, until it answers, with a key if that is needed.
 * @throws {RefusedError} with the problem document
 */
export async function read<Body>(address: string, aborted?: AbortSignal): Promise<Body> {
  const get = async () => withKey(async () => send<Body>(address, { signal: aborted }));
  return (await untilAnswered(get)).body;
}
