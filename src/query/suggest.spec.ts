import { describe, expect, it } from '@jest/globals';
import { suggest } from './suggest.js';

const MEMBERS = ['name', 'city', 'inception_year'];

describe('suggest', () => {
  it.each([
    ['inceptionyear', 'did you mean inception_year?'],
    ['Name', 'did you mean name?'],
    ['citty', 'did you mean city?'],
  ])('suggests the nearest word for %s', (word, hint) => {
    expect(suggest(word, MEMBERS)).toBe(hint);
  });

  it('lists all words if none is near', () => {
    expect(suggest('id', MEMBERS)).toBe('there are name, city, inception_year');
  });
});
