import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'mr_';
const SECRET_BYTES = 32;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Enough digits of base 62 for 32 bytes, and for the 4 bytes of the checksum. */
const [SECRET_DIGITS, CHECKSUM_DIGITS] = [43, 6];
const FORM = new RegExp(
  `^${PREFIX}([0-9A-Za-z]{${SECRET_DIGITS}})([0-9A-Za-z]{${CHECKSUM_DIGITS}})$`,
);

/**
 * Makes a new API key: `mr_`, 32 random bytes and their CRC-32, both in base 62. The prefix and the
 * checksum let scanners of source code recognize a key without asking the service, as those of GitHub do:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
export function makeApiKey(): string {
  const secret = toBase62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_DIGITS);
  return `${PREFIX}${secret}${checksumOf(secret)}`;
}

/** Whether a text has the form of a key, with the right checksum. */
export function isApiKey(text: string): boolean {
  const [, secret, checksum] = FORM.exec(text) ?? [];
  return secret !== undefined && checksumOf(secret) === checksum;
}

/** What is stored of a key: its SHA-256, in hexadecimal digits. */
export function hashOf(key: string): string {
  return hash('sha256', key, 'hex');
}

function checksumOf(secret: string): string {
  return toBase62(BigInt(crc32(secret)), CHECKSUM_DIGITS);
}

function toBase62(number: bigint, digits: number): string {
  let text = '';
  for (let rest = number; text.length < digits; rest /= 62n) {
    text = ALPHABET[Number(rest % 62n)]! + text;
  }
  return text;
}
