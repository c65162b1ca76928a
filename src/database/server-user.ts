import { readFileSync } from 'node:fs';

const PREFERRED_USERS = ['postgres', 'nobody'];

/** PostgreSQL refuses to run as root: the user it runs as instead, or none for anybody else. */
export function findServerUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of PREFERRED_USERS) {
    const account = accounts.find(([login]) => login === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error('Run as root, PostgreSQL needs a user "postgres" or "nobody": make one.');
}
