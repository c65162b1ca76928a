import { closestMatch } from 'leven';

const LETTERS_PER_TYPO = 3;

/** Advice for an unknown word: the nearest known one, or else all of them. */
export function suggest(word: string, known: string[]): string {
  const nearest = nearestTo(word, known, Math.ceil(word.length / LETTERS_PER_TYPO));
  return nearest ? `did you mean ${nearest}?` : `there are ${known.join(', ')}`;
}

/** Returns undefined if no known word is within `maxDistance` edits. */
export function nearestTo(word: string, known: string[], maxDistance: number): string | undefined {
  return closestMatch(word, known, { maxDistance });
}
