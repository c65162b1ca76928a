import { describe, expect, it } from '@jest/globals';
import { suggest } from './suggest.js';

const MEMBERS = ['name', 'city', 'inception_year'];

describe('a word that is not known', () => {
  it.each([
    ['inceptionyear', 'did you mean inception_year?'],
    ['Name', 'did you mean name?'],
    ['citty', 'did you mean city?'],
  ])('%s leads to the nearest known one', (word, hint) => {
    expect(suggest(word, MEMBERS)).toBe(hint);
  });

  it('leads to all known ones when none is near', () => {
    expect(suggest('id', MEMBERS)).toBe('there are name, city, inception_year');
  });
});
