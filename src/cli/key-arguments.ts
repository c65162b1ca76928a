import { CreateApiKeyDto } from '../access/api-key.dto.js';
import { toDto } from '../http/validation.js';
import { suggest } from '../query/suggest.js';
import { UsageError } from './usage.js';

const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;
const ACTIONS = ['create', 'list', 'revoke'];

/** The options of the command `key`, as they were typed. */
export interface KeyFlags {
  role?: string;
  name?: string;
  expires?: string;
}

/** The arguments of the command `key`. */
export type KeyArguments =
  | { action: 'create'; details: CreateApiKeyDto }
  | { action: 'list' }
  | { action: 'revoke'; ids: number[] };

/** @throws {UsageError} if an argument is missing or invalid. */
export function parseKeyArguments([action, ...words]: string[], flags: KeyFlags): KeyArguments {
  if (action === 'revoke') return { action, ids: parseIds(words) };
  if (words.length) throw new UsageError(`key ${action} does not take ${words.join(', ')}.`);
  if (action === 'list') return { action };
  if (action === 'create') return { action, details: parseDetails(flags) };
  throw new UsageError(
    action === undefined
      ? 'Use key create, key list or key revoke.'
      : `There is no command "key ${action}": ${suggest(action, ACTIONS)}`,
  );
}

function parseDetails({ role, name, expires }: KeyFlags): CreateApiKeyDto {
  const expiresAt = expires === undefined ? null : timeAfter(expires).toISOString();
  const { dto, issues } = toDto(CreateApiKeyDto, { role, name, expires_at: expiresAt });
  if (!issues.length) return dto;
  throw new UsageError(
    issues.map(({ pointer, detail }) => `--${pointer.slice(2)} ${detail}`).join('; '),
  );
}

function timeAfter(text: string): Date {
  const days = /^(\d{1,6})d$/.exec(text)?.[1];
  if (days !== undefined && Number(days) >= 1 && Number(days) <= MAX_DAYS) {
    return new Date(Date.now() + Number(days) * DAY_MS);
  }
  throw new UsageError(`--expires takes a number of days from 1d to ${MAX_DAYS}d, such as 90d.`);
}

function parseIds(words: string[]): number[] {
  if (!words.length) throw new UsageError('Name the ids of the keys to revoke: see key list.');
  const invalid = words.filter((word) => !/^\d{1,9}$/.test(word));
  if (!invalid.length) return words.map(Number);
  throw new UsageError(`${invalid.join(', ')}: an id is a whole number, as key list shows it.`);
}
