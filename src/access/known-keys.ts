import { timingSafeEqual } from 'node:crypto';
import type { Principal } from '../http/principal.js';
import { hashOf, isApiKey } from './api-key-format.js';

/** A stored key. Times are milliseconds since the epoch. */
export interface StoredKey extends Principal {
  id: number;
  hash: string;
  expires_at: number | null;
  revoked_at: number | null;
}

/** A part of the hash, which is no secret, finds the candidates. All of the hash is compared. */
const INDEX_LENGTH = 8;
const MAX_RECENT = 10_000;

/** The keys of the database at one time, in memory. */
export class KnownKeys {
  private readonly byIndex = new Map<string, StoredKey[]>();
  /**
   * Keys by the text that was sent, because hashing it costs a small request a tenth. A map compares texts
   * only if their hashes are equal, which depend on a random seed of the process: the time tells nothing about
   * how much of a forged key is right.
   */
  private readonly recent = new Map<string, StoredKey>();

  constructor(stored: StoredKey[]) {
    for (const key of stored) {
      const index = key.hash.slice(0, INDEX_LENGTH);
      this.byIndex.set(index, [...(this.byIndex.get(index) ?? []), key]);
    }
  }

  /** Returns revoked and expired keys too. */
  find(text: string): StoredKey | undefined {
    const recent = this.recent.get(text);
    if (recent) return recent;
    const key = this.compare(text);
    if (key && this.recent.size < MAX_RECENT) this.recent.set(text, key);
    return key;
  }

  /** In constant time for all keys with the same index. */
  private compare(text: string): StoredKey | undefined {
    if (!isApiKey(text)) return undefined;
    const hash = hashOf(text);
    const candidates = this.byIndex.get(hash.slice(0, INDEX_LENGTH));
    return candidates?.find((key) => timingSafeEqual(Buffer.from(key.hash), Buffer.from(hash)));
  }
}
