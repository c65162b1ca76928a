import { closestMatch } from 'leven';

const LETTERS_A_TYPO = 3;

/** Helps with a word that is not known: the nearest one that is, or else all of them. */
export function didYouMean(word: string, known: string[]): string {
  const maxDistance = Math.ceil(word.length / LETTERS_A_TYPO);
  const nearest = closestMatch(word, known, { maxDistance });
  return nearest ? `did you mean ${nearest}?` : `there are ${known.join(', ')}`;
}
