import type { Role } from '../http/principal.js';
import { ProblemError } from '../problems/problems.js';
import type { StoredKey } from './known-keys.js';

/** The problem of a request without a key. */
export function keyRequired(role: Role): ProblemError {
  return new ProblemError(
    'key_required',
    `This request needs an API key with the role ${role}. Send it as Authorization: Bearer mr_…. ` +
      'The administrator of the service creates keys.',
  );
}

/** The problem of a request whose key has too few rights. */
export function insufficientRole({ name, role }: StoredKey, required: Role): ProblemError {
  return new ProblemError(
    'insufficient_role',
    `This request needs the role ${required}, and the key "${name}" has the role ${role}.`,
  );
}

/** Whether a key exists, is not revoked and has not expired. */
export function isUsable(key: StoredKey | undefined): key is StoredKey {
  if (!key || key.revoked_at) return false;
  return key.expires_at === null || key.expires_at > Date.now();
}

/** The problem of a request whose key is not usable, or that was sent in another way. */
export function invalidKey(key: StoredKey | undefined, text: string): ProblemError {
  if (!text)
    return new ProblemError('invalid_key', 'Send the API key as Authorization: Bearer mr_….');
  return new ProblemError('invalid_key', `${reasonOf(key)} ${ADVICE}`);
}

const ADVICE = 'Ask the administrator of the service for another one.';

function reasonOf(key: StoredKey | undefined): string {
  if (!key) return 'There is no such API key.';
  const [word, at] = key.revoked_at
    ? ['was revoked', key.revoked_at]
    : ['expired', key.expires_at!];
  return `The API key "${key.name}" ${word} at ${new Date(at).toISOString()}.`;
}
