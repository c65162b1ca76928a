import { closestMatch } from 'leven';

const LETTERS_PER_TYPO = 3;

/** Advice for an unknown word: the nearest known one, or else all of them. */
export function suggest(word: string, known: string[]): string {
  const maxDistance = Math.ceil(word.length / LETTERS_PER_TYPO);
  const nearest = closestMatch(word, known, { maxDistance });
  return nearest ? `did you mean ${nearest}?` : `there are ${known.join(', ')}`;
}
