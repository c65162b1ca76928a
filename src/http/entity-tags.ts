import { ProblemError } from '../problems/problems.js';

const TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/** The entity tags of an `If-Match` or `If-None-Match` header, or `*` (RFC 9110, section 13.1). */
export type EntityTags = '*' | { value: string; isWeak: boolean }[];

/** @throws {ProblemError} `invalid_header` if it is not a list of quoted entity tags. */
export function parseEntityTags(header: string): EntityTags {
  if (header.trim() === '*') return '*';
  return header.split(',').map((text) => {
    const [, weak, value] = TAG.exec(text.trim()) ?? [];
    if (value !== undefined) return { value, isWeak: weak !== undefined };
    throw new ProblemError(
      'invalid_header',
      `${text.trim() || 'Nothing'} is not an entity tag. Send the value of ETag with its quotes, as in "2".`,
    );
  });
}

/** Whether `If-None-Match` names the representation with the entity tag `tag`. */
export function matchesTag(ifNoneMatch: string | undefined, tag: string | number): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = parseEntityTags(ifNoneMatch);
  return tags === '*' || tags.some(({ value }) => value === String(tag));
}
