import { readFileSync } from 'node:fs';
import { EmbeddedServerError } from './embedded-server-error.js';

const PREFERRED_USERS = ['postgres', 'nobody'];

/** The user that the server runs as, because PostgreSQL does not run as root. Undefined for other users. */
export function findServerUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of PREFERRED_USERS) {
    const account = accounts.find(([login]) => login === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new EmbeddedServerError(
    'PostgreSQL does not run as root. Create a user "postgres" or "nobody" for it.',
  );
}
