import { Misread } from './refusal.js';

/** Reads a text from its beginning to its end, piece by piece, and knows where it is. */
export class Scanner {
  at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at === this.text.length;
  }

  /** Takes what the sticky pattern matches here; undefined, and nothing taken, where it does not. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at += match[0].length;
    return match;
  }

  /** Takes exactly this, if it is here. */
  skip(piece: string): boolean {
    if (!this.text.startsWith(piece, this.at)) return false;
    this.at += piece.length;
    return true;
  }

  takeRest(): string {
    const rest = this.text.slice(this.at);
    this.at = this.text.length;
    return rest;
  }

  /** @throws {Misread} unless this is here. */
  expect(piece: string, wish: string): void {
    if (this.skip(piece)) return;
    const found = this.isAtEnd ? 'it ends' : `there is "${this.text[this.at]}"`;
    this.fail(`${found} where ${wish} was expected`);
  }

  fail(detail: string, at = this.at): never {
    throw new Misread(detail, at);
  }
}
