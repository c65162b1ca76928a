import { BadRequestException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { didYouMean } from '../did-you-mean.js';

const KNOWN: Record<string, string[]> = {
  tx: ['commit', 'rollback'],
  resolution: ['merge-duplicates', 'ignore-duplicates'],
  count: ['exact'],
  return: ['minimal', 'representation'],
};

const MOST = 'max-affected';

/** What a client prefers (RFC 7240), as far as it is known here: one that is not is ignored. */
export interface Preferences {
  tx?: 'commit' | 'rollback';
  resolution?: 'merge-duplicates' | 'ignore-duplicates';
  count?: 'exact';
  return?: 'minimal' | 'representation';
  /** The most records that a change of many may touch. */
  'max-affected'?: number;
}

/** @throws {BadRequestException} where a known preference has a value that means nothing. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  if (header === undefined) return {};
  const wishes = [header].flat().join(',').split(',');
  const pairs = wishes.map((wish) => wish.split(';')[0]!.split('=').map(unquote));
  return Object.fromEntries(pairs.filter(([name]) => isKnown(name!)).map(check));
}

/** Says in `Preference-Applied` that a preference was followed (RFC 7240, section 3). */
export function confirmPreference(reply: FastifyReply, preference: string): void {
  const others = String(reply.getHeader('Preference-Applied') ?? '').split(', ');
  const all = new Set([...others, preference].filter(Boolean));
  reply.header('Preference-Applied', [...all].join(', '));
}

function isKnown(name: string): boolean {
  return name === MOST || Object.hasOwn(KNOWN, name);
}

function check([name, value]: string[]): [string, string | number] {
  if (name === MOST && /^\d{1,15}$/.test(value ?? '')) return [name, Number(value)];
  const values = KNOWN[name!] ?? ['a whole number'];
  if (values.includes(value ?? '')) return [name!, value!];
  throw new BadRequestException(
    `Prefer: ${name}=${value ?? ''} means nothing here: ${didYouMean(value ?? '', values)}`,
  );
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^"|"$/g, '').toLowerCase();
}
