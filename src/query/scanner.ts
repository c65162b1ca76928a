import { ParseError } from './errors.js';

/** Reads a text from left to right. */
export class Scanner {
  /** The index of the next character. */
  index = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.index === this.text.length;
  }

  /** Takes what a sticky pattern matches here. Returns undefined, and takes nothing, if it does not. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.index;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.index += match[0].length;
    return match;
  }

  /** Takes `piece` if it is next. */
  skip(piece: string): boolean {
    if (!this.text.startsWith(piece, this.index)) return false;
    this.index += piece.length;
    return true;
  }

  takeRest(): string {
    const rest = this.text.slice(this.index);
    this.index = this.text.length;
    return rest;
  }

  /** @throws {ParseError} if `piece` is not next; `description` says what was expected. */
  expect(piece: string, description: string): void {
    if (this.skip(piece)) return;
    const found = this.isAtEnd ? 'it ends' : `there is "${this.text[this.index]}"`;
    this.fail(`${found} where ${description} was expected`);
  }

  fail(detail: string, index = this.index): never {
    throw new ParseError(detail, index);
  }
}
