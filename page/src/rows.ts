import { signal } from '@preact/signals';
import { numberOf, send } from './api.ts';
import type { Change, Marathon } from './types.ts';

const PAGE_LENGTH = 100;
const MAX_PAGES = 60;
/** How long a change is marked. */
const MARK_MS = 2500;

interface Page {
  rows: Marathon[];
  /** The addresses of the neighbours, by cursors. */
  next?: string;
  previous?: string;
}

interface List {
  marathon_list: Marathon[];
}

/** The rows of one list, which are fetched when they come into sight. */
export class Rows {
  /** Changes when rows were fetched or changed. */
  readonly revision = signal(0);
  readonly total = signal<number | undefined>(undefined);
  readonly isEstimated = signal(false);
  /** The number of the last change that the rows contain. */
  seq?: number;
  private readonly pages = new Map<number, Page>();
  private readonly fetching = new Map<number, Promise<void>>();
  private readonly marks = new Map<number, number>();
  private readonly ending = new AbortController();

  constructor(private readonly parameters: URLSearchParams) {}

  at(index: number): Marathon | undefined {
    return this.pages.get(Math.floor(index / PAGE_LENGTH))?.rows[index % PAGE_LENGTH];
  }

  /** Where a marathon is; undefined if its page is not there. */
  indexOf(id: number): number | undefined {
    for (const [page, { rows }] of this.pages) {
      const index = rows.findIndex((row) => row.id === id);
      if (index >= 0) return page * PAGE_LENGTH + index;
    }
    return undefined;
  }

  /** The marathon, or its row if that is newer. */
  newestOf(marathon: Marathon): Marathon {
    const index = this.indexOf(marathon.id);
    const row = index === undefined ? undefined : this.at(index);
    return row && row.version > marathon.version ? row : marathon;
  }

  /** Whether a marathon was changed a moment ago. */
  isMarked(id: number): boolean {
    return (this.marks.get(id) ?? 0) > Date.now();
  }

  /** Fetches the pages of rows that are not there yet. */
  async fetch(first: number, last: number): Promise<void> {
    const pages = [];
    const end = Math.min(last, (this.total.value ?? 1) - 1);
    for (let index = Math.floor(first / PAGE_LENGTH); index * PAGE_LENGTH <= end; index += 1) {
      if (!this.pages.has(index)) pages.push(this.fetchPage(index));
    }
    if (this.total.value === undefined) pages.push(this.fetchPage(0));
    await Promise.all(pages);
  }

  /** Fetches again what is in sight. Rows that differ are marked. */
  async refresh(first: number, last: number): Promise<void> {
    const indexes = [...this.pages.keys()];
    const isVisible = (index: number) =>
      index >= Math.floor(first / PAGE_LENGTH) && index <= Math.floor(last / PAGE_LENGTH);
    for (const index of indexes) if (!isVisible(index)) this.pages.delete(index);
    // by offsets: the rows before may be others now
    for (const index of indexes.filter(isVisible)) await this.read(index, this.addressOf(index));
    if (!indexes.some(isVisible)) await this.fetch(first, last);
  }

  /** Shows a marathon as it is now. */
  replace(marathon: Marathon): void {
    for (const { rows } of this.pages.values()) {
      const index = rows.findIndex(({ id }) => id === marathon.id);
      if (index >= 0 && rows[index]!.version <= marathon.version) rows[index] = marathon;
    }
    this.mark(marathon.id);
  }

  /** Shows what others changed. What they added or removed is seen when the rows are fetched again. */
  apply({ operation, version, marathon }: Change): void {
    if (operation === 'update') this.replace({ ...marathon, version });
  }

  /** Stops all that is being fetched. */
  close(): void {
    this.ending.abort();
  }

  private mark(id: number): void {
    this.marks.set(id, Date.now() + MARK_MS);
    this.revision.value += 1;
    setTimeout(() => {
      if (!this.isMarked(id)) this.marks.delete(id);
      this.revision.value += 1;
    }, MARK_MS + 50);
  }

  private async fetchPage(index: number): Promise<void> {
    const pending = this.fetching.get(index);
    if (pending) return pending;
    const address =
      this.pages.get(index - 1)?.next ??
      this.pages.get(index + 1)?.previous ??
      this.addressOf(index);
    const fetched = this.read(index, address).finally(() => this.fetching.delete(index));
    this.fetching.set(index, fetched);
    return fetched;
  }

  private addressOf(index: number): string {
    const parameters = new URLSearchParams(this.parameters);
    parameters.set('select', '*,version');
    parameters.set('limit', String(PAGE_LENGTH));
    if (index) parameters.set('offset', String(index * PAGE_LENGTH));
    return `/marathon/?${parameters.toString()}`;
  }

  private async read(index: number, address: string): Promise<void> {
    const isCounted = this.total.value === undefined || !address.includes('after=');
    const headers = isCounted ? { Prefer: 'count=estimated' } : undefined;
    const answer = await send<List>(address, { signal: this.ending.signal, headers });
    if (this.ending.signal.aborted) return;
    const rows = answer.body.marathon_list;
    if (isCounted) this.readCount(answer.headers.get('content-range'));
    this.seq ??= numberOf(answer.headers.get('etag'));
    this.markChanged(this.pages.get(index)?.rows, rows);
    this.pages.set(index, { rows, ...linksOf(answer.headers.get('link')) });
    if (rows.length < PAGE_LENGTH) this.end(index * PAGE_LENGTH + rows.length);
    this.forgetDistant(index);
    this.revision.value += 1;
  }

  private readCount(range: string | null): void {
    const total = /\/(\d+)$/.exec(range ?? '')?.[1];
    this.total.value = Number(total ?? 0);
    this.isEstimated.value = this.total.value > 1000;
  }

  /** A page that is not full is the last one, whatever was estimated. */
  private end(total: number): void {
    this.total.value = total;
    this.isEstimated.value = false;
  }

  private markChanged(before: Marathon[] | undefined, after: Marathon[]): void {
    if (!before) return;
    const versions = new Map(before.map(({ id, version }) => [id, version]));
    for (const { id, version } of after) if (versions.get(id) !== version) this.mark(id);
  }

  private forgetDistant(index: number): void {
    if (this.pages.size <= MAX_PAGES) return;
    const byDistance = [...this.pages.keys()].sort(
      (a, b) => Math.abs(b - index) - Math.abs(a - index),
    );
    for (const distant of byDistance.slice(0, this.pages.size - MAX_PAGES)) {
      this.pages.delete(distant);
    }
  }
}

function linksOf(header: string | null): Pick<Page, 'next' | 'previous'> {
  const linkTo = (relation: string) =>
    new RegExp(`<([^>]*)>; rel="${relation}"`).exec(header ?? '')?.[1];
  return { next: linkTo('next'), previous: linkTo('prev') };
}
