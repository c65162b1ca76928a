import { Logger } from '@nestjs/common';
import { closestMatch } from 'leven';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { isDistributed } from '../database/distribution.js';
import { queryScript } from '../database/prepared-statements.js';
import type { Retry } from '../database/retry.js';
import { Parameters } from '../query/sql.js';
import type { SearchMatch } from '../query/statements.js';
import { normalizedTextSql } from './normalized-text.js';
import { NORMALIZE_FUNCTION, type SearchCapabilities } from './search-capabilities.js';

/** More matches than this are not ranked: computing their relevance would take too long. */
const MAX_RANKED = 500;
const [MAX_WORDS, MIN_CORRECTED_LENGTH, LETTERS_PER_TYPO] = [10, 3, 3];
/** The trigram similarities from which words are candidates for a correction, tried in this order. */
const SIMILARITIES = [0.5, 0.3];
const MAX_CANDIDATE_ROWS = 500;
const MAX_CACHED_TEXTS = 1000;
/** Each of them is a scan of an index. */
const MAX_ALTERNATIVES = 16;
/** One or two letters or digits, of a script that separates words. */
const SHORT_WORD = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}]{1,2}$/u;
const WORD_SEPARATOR = /[^\p{L}\p{N}]+/u;

/**
 * Matches rows that contain all words, ignoring case and accents; one or two letters match beginnings of words.
 * If no row does, words that occur nowhere are replaced by the nearest words that do.
 */
export class TextSearch {
  private readonly log = new Logger(TextSearch.name);
  private readonly normalizedTexts = new LRUCache<string, string>({ max: MAX_CACHED_TEXTS });

  constructor(
    private readonly dataSource: DataSource,
    private readonly retry: Retry,
    private readonly columns: string[],
    private readonly capabilities: SearchCapabilities,
  ) {}

  /**
   * How the words of `text` are matched in a relation. `parts` are conditions of which each row satisfies
   * one; each part is searched by itself, so that one of them can use an index.
   */
  async find(text: string, relation: string, parts = ['true']): Promise<SearchMatch> {
    const normalized = await this.normalize(text);
    const words = normalized.split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
    const count = await this.count(words, relation, parts);
    if (count) return this.match(words, count, parts);
    const corrected = await this.correct(words, relation, parts);
    const correctedCount = await this.count(corrected, relation, parts);
    if (correctedCount) this.log.debug(`Searched for ${corrected.join(' ')} instead of ${text}`);
    return this.match(corrected, correctedCount, parts);
  }

  private match(words: string[], count: number, parts: string[]): SearchMatch {
    return {
      matchesSql: (parameters) => this.matchesSql(words, parameters, parts),
      relevanceSql: (parameters) =>
        count > MAX_RANKED ? '0::float8' : this.relevanceSql(words.join(' '), parameters),
    };
  }

  /**
   * An alternative for each part and each pattern of the words. An index is used for an OR of ANDs only, and
   * then for all words of an alternative, the rarest one first.
   */
  private matchesSql(words: string[], parameters: Parameters, parts: string[]): string {
    if (!words.length) return 'false';
    let alternatives: string[][] = parts.map((part) => [part]);
    for (const word of words.toSorted((a, b) => b.length - a.length)) {
      const patterns = this.likeSql(word, parameters);
      const isExpanded = alternatives.length * patterns.length <= MAX_ALTERNATIVES;
      const likes = isExpanded ? patterns : [`(${patterns.join(' OR ')})`];
      alternatives = alternatives.flatMap((all) => likes.map((like) => [...all, like]));
    }
    return `(${alternatives.map((all) => `(${all.join(' AND ')})`).join(' OR ')})`;
  }

  /** A trigram index finds one or two letters only where a word begins. */
  private likeSql(word: string, parameters: Parameters): string[] {
    const text = word.replaceAll(/[\\%_]/g, '\\$&');
    const patterns = SHORT_WORD.test(word) ? [`${text}%`, `% ${text}%`] : [`%${text}%`];
    return patterns.map((pattern) => `${this.textSql} LIKE ${parameters.add(pattern, 'text')}`);
  }

  private relevanceSql(text: string, parameters: Parameters): string {
    const words = parameters.add(text, 'text');
    const { trigramSchema: schema } = this.capabilities;
    if (!schema)
      return `(CASE WHEN ${this.textSql} LIKE ${words} || '%' THEN 1 ELSE 0 END)::float8`;
    return `(10 * ${schema}.word_similarity(${words}, ${this.textSql})
             + ${schema}.similarity(${words}, ${this.textSql}))::float8`;
  }

  private async count(words: string[], relation: string, parts: string[]): Promise<number> {
    const parameters = new Parameters();
    const matches = this.matchesSql(words, parameters, parts);
    const [matching] = await this.query<{ count: string }>(
      `SELECT count(*) FROM (SELECT 1 FROM ${relation} AS source WHERE ${matches}
       LIMIT ${MAX_RANKED + 1}) AS matching`,
      parameters.values,
    );
    return Number(matching!.count);
  }

  private async correct(words: string[], relation: string, parts: string[]): Promise<string[]> {
    const corrected: string[] = [];
    for (const word of words) {
      // a single word was counted already: it occurs nowhere
      const occurs = words.length > 1 && (await this.count([word], relation, parts)) > 0;
      corrected.push(occurs ? word : await this.correctWord(word, relation, parts));
    }
    return corrected;
  }

  /** Returns the word itself if no similar word occurs. */
  private async correctWord(word: string, relation: string, parts: string[]): Promise<string> {
    if (!this.capabilities.trigramSchema || word.length < MIN_CORRECTED_LENGTH) return word;
    const maxDistance = Math.ceil(word.length / LETTERS_PER_TYPO);
    for (const similarity of SIMILARITIES) {
      const candidates = await this.findSimilar(word, similarity, relation, parts);
      const nearest = closestMatch(word, candidates, { maxDistance });
      if (nearest) return nearest;
    }
    return word;
  }

  /** The words of rows that contain a word similar to `word`. */
  private async findSimilar(word: string, similarity: number, relation: string, parts: string[]) {
    const { trigramSchema } = this.capabilities;
    const isSimilar = `${pg.escapeLiteral(word)} OPERATOR(${trigramSchema}.<%) ${this.textSql}`;
    const condition = parts.map((part) => `(${part} AND ${isSimilar})`).join(' OR ');
    const sql = `
      SELECT ${this.textSql} AS text FROM ${relation} AS source
      WHERE ${condition} LIMIT ${MAX_CANDIDATE_ROWS}`;
    const rows = await this.retry.transient(async () => this.queryWith(similarity, sql));
    const words = new Set(rows.flatMap(({ text }) => text.split(WORD_SEPARATOR)));
    return [...words].filter(Boolean);
  }

  /** Executes a statement while words with this similarity match `<%`. */
  private async queryWith(similarity: number, sql: string): Promise<{ text: string }[]> {
    const setting = `SET LOCAL pg_trgm.word_similarity_threshold = ${similarity}`;
    if (!isDistributed(this.dataSource)) return queryScript(this.dataSource, `${setting}; ${sql}`);
    return this.dataSource.transaction(async (manager) => {
      // Citus sends the settings of a transaction to the other servers then, if they are statements of their own
      await manager.query(`SET LOCAL citus.propagate_set_commands = 'local'`);
      await manager.query(setting);
      return manager.query(sql);
    });
  }

  /** A search runs many statements. Each one is retried by itself. */
  private async query<Row>(sql: string, values: unknown[]): Promise<Row[]> {
    return this.retry.transient(async () => this.dataSource.query(sql, values));
  }

  private async normalize(text: string): Promise<string> {
    if (!this.capabilities.trigramSchema) return text.toLowerCase();
    const cached = this.normalizedTexts.get(text);
    if (cached !== undefined) return cached;
    const sql = `SELECT ${NORMALIZE_FUNCTION}($1) AS text`;
    const [normalized] = await this.query<{ text: string }>(sql, [text]);
    this.normalizedTexts.set(text, normalized!.text);
    return normalized!.text;
  }

  private get textSql(): string {
    return normalizedTextSql(this.columns, this.capabilities);
  }
}
