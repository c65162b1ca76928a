import { BadRequestException } from '@nestjs/common';

const TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/** The tags of an `If-Match` or `If-None-Match` header, or `*` (RFC 9110, section 13.1). */
export type EntityTags = '*' | { value: string; isWeak: boolean }[];

/** @throws {BadRequestException} where it is not a list of tags, each in its quotes. */
export function readEntityTags(header: string): EntityTags {
  if (header.trim() === '*') return '*';
  return header.split(',').map((text) => {
    const [, weak, value] = TAG.exec(text.trim()) ?? [];
    if (value !== undefined) return { value, isWeak: weak !== undefined };
    throw new BadRequestException(
      `${text.trim() || 'Nothing'} is not an entity tag: send what ETag said, with its quotes, as in "2".`,
    );
  });
}

/** Whether whoever sends this `If-None-Match` has the representation `tag` already. */
export function isKnown(ifNoneMatch: string | undefined, tag: string | number): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = readEntityTags(ifNoneMatch);
  return tags === '*' || tags.some(({ value }) => value === String(tag));
}
