import { randomUUID } from 'node:crypto';
import type { ApiKeyResponse } from '../access/api-key.dto.js';
import type { ApiKeysService } from '../access/api-keys.service.js';
import type { KeyArguments } from './key-arguments.js';

/** Creates, lists or revokes API keys, and prints the result. */
export async function runKeyCommand(keys: ApiKeysService, args: KeyArguments): Promise<void> {
  if (args.action === 'list') return printKeys(await keys.findAll());
  if (args.action === 'create') {
    const { id, key } = await keys.create(args.details, { requestId: randomUUID() });
    console.error(`The key ${id} was created. It is not shown again:`);
    console.log(key);
    return;
  }
  for (const id of args.ids) {
    await keys.revoke(id);
    console.log(`The key ${id} is revoked.`);
  }
}

function printKeys(keys: ApiKeyResponse[]): void {
  if (!keys.length) return console.log('There are no API keys.');
  console.table(
    Object.fromEntries(
      keys.map(({ id, name, role, ...times }) => [
        id,
        {
          name,
          role,
          created: format(times.created_at),
          expires: format(times.expires_at),
          'last used': format(times.last_used_at),
          revoked: format(times.revoked_at),
        },
      ]),
    ),
  );
}

function format(time: Date | null): string {
  return time ? `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '';
}
