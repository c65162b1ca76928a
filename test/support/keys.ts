import type { RunningApp } from './app.js';
import type { Role } from '../../src/http/principal.js';

/** Settings for tests that send more requests than one client may. */
export const NO_REQUEST_LIMITS = {
  REQUESTS_PER_MINUTE_PER_ADDRESS: '0',
  REQUESTS_PER_MINUTE_PER_KEY: '0',
};

/** Creates an API key as the command line does, and returns the header that sends it. */
export async function authorize({ app }: RunningApp, role: Role, name: string = role) {
  const { ApiKeysService } = await import('../../src/access/api-keys.service.js');
  const details = { role, name, expires_at: null };
  const { id, key } = await app
    .get(ApiKeysService)
    .create(details, { requestId: crypto.randomUUID() });
  return { id, key, header: { Authorization: `Bearer ${key}` } };
}
