import { closestMatch } from 'leven';

const LETTERS_A_TYPO = 3;

/** Helps with a word that is not known: the nearest one that is, or else all of them. */
export function didYouMean(word: string, known: string[]): string {
  const nearest = nearestTo(word, known, Math.ceil(word.length / LETTERS_A_TYPO));
  return nearest ? `did you mean ${nearest}?` : `there are ${known.join(', ')}`;
}

/** Undefined where none is so near. */
export function nearestTo(word: string, known: string[], maxDistance: number): string | undefined {
  return closestMatch(word, known, { maxDistance });
}
