import { Logger } from '@nestjs/common';
import { closestMatch } from 'leven';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { queryScript } from '../database/prepared.js';
import { retryWhileAway } from '../database/retry.js';
import { quoteName } from '../query/columns.js';
import { Parameters } from '../query/sql.js';
import type { Source } from '../query/statements.js';
import { FOLD, type Ability } from './ability.js';

/** Up to so many finds are sorted by how well they fit; more would take longer than anybody waits. */
const MOST_RANKED = 500;
const [MOST_WORDS, SHORTEST_TO_CORRECT, LETTERS_A_TYPO] = [10, 3, 3];
/** How like a word has to be to be looked at as what may have been meant: the likest first. */
const LIKENESSES = [0.5, 0.3];
const MOST_LOOKED_AT = 500;

/**
 * Finds the rows of a table whose texts have all the words, whatever their case and accents. Where none
 * has, the nearest words that there are take their place. Those that fit best come first.
 */
export class TextSearch {
  private readonly log = new Logger(TextSearch.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly columns: string[],
    private readonly ability: Ability,
  ) {}

  /** How to find `text` in a relation; `within` is SQL that holds for all of its rows. */
  async find(text: string, relation: string, within?: string[]): Promise<Source['search']> {
    const words = (await this.fold(text)).split(/\s+/).filter(Boolean).slice(0, MOST_WORDS);
    const count = await this.count(words, relation, within);
    if (count) return this.describe(words, count, within);
    const meant = await this.correct(words, relation, within);
    const countMeant = await this.count(meant, relation, within);
    if (countMeant) this.log.debug(`Searched for ${meant.join(' ')} in place of ${text}`);
    return this.describe(meant, countMeant, within);
  }

  private describe(words: string[], count: number, within?: string[]): Source['search'] {
    return {
      isFound: (parameters) => this.hasAll(words, parameters, within),
      relevance: (parameters) =>
        count > MOST_RANKED ? '0::float8' : this.rank(words.join(' '), parameters),
    };
  }

  /** Each part of the relation is asked by itself, so that one of them may have an index. */
  private hasAll(words: string[], parameters: Parameters, within = ['true']): string {
    const patterns = words.map((word) =>
      parameters.place(`%${word.replaceAll(/[\\%_]/g, '\\$&')}%`, 'text'),
    );
    const hasAll = patterns.map((pattern) => `${this.folded} LIKE ${pattern}`).join(' AND ');
    return `(${within.map((part) => `(${part} AND ${hasAll || 'false'})`).join(' OR ')})`;
  }

  private rank(text: string, parameters: Parameters): string {
    const words = parameters.place(text, 'text');
    const { trigramSchema: schema } = this.ability;
    if (!schema) return `(CASE WHEN ${this.folded} LIKE ${words} || '%' THEN 1 ELSE 0 END)::float8`;
    return `(10 * ${schema}.word_similarity(${words}, ${this.folded})
             + ${schema}.similarity(${words}, ${this.folded}))::float8`;
  }

  private async count(words: string[], relation: string, within?: string[]): Promise<number> {
    const parameters = new Parameters();
    const isFound = this.hasAll(words, parameters, within);
    const [found] = await this.query<{ count: string }>(
      `SELECT count(*) FROM (SELECT 1 FROM ${relation} AS source WHERE ${isFound}
       LIMIT ${MOST_RANKED + 1}) AS found`,
      parameters.values,
    );
    return Number(found!.count);
  }

  private async correct(words: string[], relation: string, within?: string[]): Promise<string[]> {
    const corrected: string[] = [];
    for (const word of words) {
      // of one word it is known by now that it is nowhere
      const isKnown = words.length > 1 && (await this.count([word], relation, within)) > 0;
      corrected.push(isKnown ? word : await this.correctWord(word, relation, within));
    }
    return corrected;
  }

  /** The word as it is, where none that is like it is known. */
  private async correctWord(word: string, relation: string, within?: string[]): Promise<string> {
    if (!this.ability.trigramSchema || word.length < SHORTEST_TO_CORRECT) return word;
    const maxDistance = Math.ceil(word.length / LETTERS_A_TYPO);
    for (const likeness of LIKENESSES) {
      const known = await this.findLike(word, likeness, relation, within);
      const nearest = closestMatch(word, known, { maxDistance });
      if (nearest) return nearest;
    }
    return word;
  }

  /** Words of texts that have something like `word`. */
  private async findLike(word: string, likeness: number, relation: string, within = ['true']) {
    const { trigramSchema } = this.ability;
    const isLike = `${pg.escapeLiteral(word)} OPERATOR(${trigramSchema}.<%) ${this.folded}`;
    const parts = within.map((part) => `(${part} AND ${isLike})`).join(' OR ');
    const sql = `
      SET LOCAL pg_trgm.word_similarity_threshold = ${likeness};
      SELECT ${this.folded} AS text FROM ${relation} AS source
      WHERE ${parts} LIMIT ${MOST_LOOKED_AT}`;
    const rows = await retryWhileAway(async () =>
      queryScript<{ text: string }>(this.dataSource, sql),
    );
    const known = new Set(rows.flatMap(({ text }) => text.split(/[^\p{L}\p{N}]+/u)));
    return [...known].filter(Boolean);
  }

  /** A search takes many statements: one that is lost is retried by itself. */
  private async query<Row>(sql: string, values: unknown[]): Promise<Row[]> {
    return retryWhileAway(async () => this.dataSource.query(sql, values));
  }

  private async fold(text: string): Promise<string> {
    if (!this.ability.trigramSchema) return text.toLowerCase();
    const [folded] = await this.query<{ text: string }>(`SELECT ${FOLD}($1) AS text`, [text]);
    return folded!.text;
  }

  /** SQL for what is searched in: it has to be the same, letter by letter, as in the index. */
  private get folded(): string {
    return writeFolded(this.columns, this.ability);
  }
}

export function writeFolded(columns: string[], { trigramSchema }: Ability): string {
  const texts = columns.map((name) => `coalesce(${quoteName(name)}, '')`);
  return `${trigramSchema ? FOLD : 'lower'}(${texts.join(` || ' ' || `)})`;
}
