import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { EPOCH_LENGTH } from '../../src/journal/epoch.js';
import type { ChangeResponse, MarathonResponse } from '../../src/marathon/marathon.dto.js';
import type { TestDatabase } from './database.js';
import { listen } from './listen.js';
import { replay, Writers } from './writers.js';

const CLIENTS = 32;
const LAST_NAME = 'The last one';

/** The results of a period of writing. */
export interface Written {
  writers: Writers;
  heard: ChangeResponse[];
  journal: ChangeResponse[];
  table: MarathonResponse[];
}

/** What happens while clients write, until it is aborted. It may end the period early. */
type Cause = (until: AbortSignal, writers: Writers, end: () => void) => Promise<unknown>;

/** Lets 32 clients write randomly during `cause`, while a listener follows the changes. */
export async function writeFor(
  seconds: number,
  urls: string[],
  database: Pick<TestDatabase, 'query'>,
  cause: Cause = async () => undefined,
  isExpected: (failure: string) => boolean = () => false,
): Promise<Written> {
  const writers = new Writers(urls);
  const hearing = hear(urls[0]!, isExpected);
  const over = new AbortController();
  const writing = Promise.all([
    writers.write(CLIENTS, over.signal),
    cause(over.signal, writers, () => over.abort()),
  ]);
  await Promise.race([wait(seconds * 1000), writing]);
  over.abort();
  await writing;
  await writers.createSurely(urls.at(-1)!, LAST_NAME);
  const heard = await hearing;
  const table = await database.query(
    'SELECT id, name, city, inception_year FROM marathon ORDER BY id',
  );
  const journal = await database.query(
    `WITH entry AS MATERIALIZED (SELECT * FROM journal)
     SELECT seq::float8 AS seq, operation, version,
       (SELECT at FROM journal_request WHERE first_seq <= seq ORDER BY first_seq DESC LIMIT 1),
       json_build_object('id', record_id, 'name', record->'name', 'city', record->'city',
                         'inception_year', record->'inception_year') AS marathon
       FROM entry ORDER BY seq`,
  );
  return { writers, heard, journal: journal as never, table: table as never };
}

/** Follows the change feed to the last change. A listener whose stream ends continues after its last event. */
async function hear(
  url: string,
  isExpected: (failure: string) => boolean,
): Promise<ChangeResponse[]> {
  const heard: ChangeResponse[] = [];
  while (heard.at(-1)?.marathon.name !== LAST_NAME) {
    const since = heard.at(-1)?.seq ?? 0;
    const changes = listen(`${url}/marathon/changes?since=${since}`);
    try {
      for await (const change of changes) {
        heard.push(change);
        if (change.marathon.name === LAST_NAME) break;
      }
    } catch (error) {
      if (!isExpected(String(error))) throw error;
    }
  }
  return heard;
}

/** The invariants of the journal, one test each. Requests may fail as `isExpected` says. */
export function holdLaws(
  written: () => Written,
  isExpected: (failure: string) => boolean = () => false,
): void {
  it('fails no request', () => {
    const { requestCount, failures: all } = written().writers;
    const failures = all.filter((failure) => !isExpected(failure));
    expect({ requestCount, failures: failures.slice(0, 3) }).toEqual({
      requestCount,
      failures: [],
    });
  });

  it('is long enough to mean something', () => {
    const { journal } = written();
    expect(journal.length).toBeGreaterThan(100);
    expect(new Set(journal.map(({ operation }) => operation))).toEqual(
      new Set(['create', 'update', 'delete', 'restore']),
    );
  });

  it('counts its changes without a gap, and its clock never runs backwards', () => {
    const { journal } = written();
    // after a failover the numbers go on a billion later
    const within = journal.map(({ seq }) => seq % EPOCH_LENGTH);
    expect(within).toEqual(journal.map((_, index) => index + 1));
    expect(journal.map(({ seq }) => seq)).toEqual(
      journal.map(({ seq }) => seq).toSorted((a, b) => a - b),
    );
    const times = journal.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('gives exactly the table when it is replayed', () => {
    const { journal, table } = written();
    expect(replay(journal)).toEqual(table);
  });

  it('holds each acknowledged write, once and as it was acknowledged', () => {
    const { journal, writers } = written();
    const byVersion = new Map(
      journal.map((entry) => [`${entry.marathon.id}/${entry.version}`, entry]),
    );
    expect(byVersion.size).toBe(journal.length);
    for (const { id, version, marathon } of writers.acknowledged) {
      expect(byVersion.get(`${id}/${version}`)?.marathon).toEqual(marathon);
    }
    const created = journal.filter(({ operation }) => operation === 'create');
    expect(new Set(created.map(({ marathon }) => marathon.name)).size).toBe(created.length);
  });

  it('is heard by who follows it: each change once, in order, none missing', () => {
    const { journal, heard, table } = written();
    expect(heard.map(({ seq }) => seq)).toEqual(journal.map(({ seq }) => seq));
    expect(replay(heard)).toEqual(table);
  });
}
