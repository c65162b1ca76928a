import { BadRequestException } from '@nestjs/common';
import type { WriteTerms } from '../journal/write-terms.js';
import { readEntityTags } from './entity-tags.js';
import { fromRequest } from './from-request.js';
import { confirmPreference, readPreferences } from './preferences.js';

/** A quoted string (RFC 9651, section 3.3.3), or the bare words that many clients send. */
const KEY = /^"([\x20-\x7e]{1,255})"$|^([\x21\x23-\x7e]{1,255})$/;

/**
 * Gives a handler the terms of its write: `If-Match`, `Idempotency-Key`
 * (draft-ietf-httpapi-idempotency-key-header) and `Prefer: tx=rollback`.
 */
export const OnTerms = () =>
  fromRequest(({ headers, id }, reply): WriteTerms => {
    const wishes = readPreferences(headers.prefer);
    const isRehearsal = wishes.tx === 'rollback';
    if (isRehearsal) confirmPreference(reply, 'tx=rollback');
    const key = readKey(headers['idempotency-key']);
    return {
      isRehearsal,
      requestId: key ?? id,
      isKeyed: key !== undefined,
      isShown: wishes.return === 'representation',
      expectedVersions: readVersions(headers['if-match']),
    };
  });

function readKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, quoted, bare] = KEY.exec(String(header).trim()) ?? [];
  const key = quoted ?? bare;
  if (key !== undefined) return key;
  throw new BadRequestException(
    'Idempotency-Key takes up to 255 printable ASCII characters in quotes, such as a fresh UUID.',
  );
}

/** A weak tag, or one that no version ever had, matches none. */
function readVersions(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined) return undefined;
  const tags = readEntityTags(ifMatch);
  if (tags === '*') return undefined;
  return tags
    .filter(({ value, isWeak }) => !isWeak && /^[1-9]\d{0,8}$/.test(value))
    .map(({ value }) => Number(value));
}
