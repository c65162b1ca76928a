import { BadRequestException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { didYouMean } from '../did-you-mean.js';

const KNOWN: Record<string, string[]> = {
  tx: ['commit', 'rollback'],
  resolution: ['merge-duplicates', 'ignore-duplicates'],
};

/** What a client prefers (RFC 7240), as far as it is known here: one that is not is ignored. */
export interface Preferences {
  tx?: 'commit' | 'rollback';
  resolution?: 'merge-duplicates' | 'ignore-duplicates';
}

/** @throws {BadRequestException} where a known preference has a value that means nothing. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  const wishes = [header ?? []].flat().join(',').split(',');
  const pairs = wishes.map((wish) => wish.split(';')[0]!.split('=').map(unquote));
  return Object.fromEntries(pairs.filter(([name]) => Object.hasOwn(KNOWN, name!)).map(check));
}

/** Says in `Preference-Applied` that a preference was followed (RFC 7240, section 3). */
export function confirmPreference(reply: FastifyReply, preference: string): void {
  const others = String(reply.getHeader('Preference-Applied') ?? '').split(', ');
  const all = new Set([...others, preference].filter(Boolean));
  reply.header('Preference-Applied', [...all].join(', '));
}

function check([name, value]: string[]): [string, string] {
  const values = KNOWN[name!]!;
  if (values.includes(value ?? '')) return [name!, value!];
  throw new BadRequestException(
    `Prefer: ${name}=${value ?? ''} means nothing here: ${didYouMean(value ?? '', values)}`,
  );
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^"|"$/g, '').toLowerCase();
}
