import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { AwayError, send } from './api.ts';
import { notice, restore } from './edits.ts';
import { formatTime } from './format.ts';
import { lastSeq } from './list.ts';
import { texts } from './texts.ts';
import type { Change, Column } from './types.ts';

const COLUMNS: Column[] = ['name', 'city', 'inception_year'];
const RETRY_MS = 1000;

const history = signal<Change[]>([]);
const failure = signal<string | undefined>(undefined);

/** A marathon, and what changed from version to version. */
export function Details({ id, onClose }: { id: number; onClose: () => void }) {
  useEffect(() => {
    history.value = [];
    failure.value = undefined;
  }, [id]);
  useEffect(() => void fetchHistory(id), [id, lastSeq.value]);
  const [latest] = history.value;
  return (
    <article class="details">
      <header>
        <h2>
          <bdi>{latest?.marathon.name ?? `#${id}`}</bdi>
        </h2>
        <button type="button" onClick={onClose} aria-label={texts.close}>
          ✕
        </button>
      </header>
      {failure.value && <p role="alert">{failure.value}</p>}
      {latest && (
        <dl>
          {COLUMNS.slice(1).map((column) => (
            <div key={column}>
              <dt>{texts.columns[column]}</dt>
              <dd>
                <bdi>{latest.marathon[column] ?? '–'}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
      <h3>{texts.history}</h3>
      <ol class="timeline">
        {history.value.map((change, index) => (
          <Version
            key={change.seq}
            change={change}
            before={history.value[index + 1]}
            current={index ? latest!.version : undefined}
          />
        ))}
      </ol>
    </article>
  );
}

interface VersionProperties {
  change: Change;
  before?: Change;
  /** The version that a restore replaces; none for the latest version. */
  current?: number;
}

function Version({ change, before, current }: VersionProperties) {
  const { operation, version, at, by, marathon } = change;
  const changed = before && operation !== 'delete' ? differences(before, change) : [];
  return (
    <li>
      <p>
        <strong>{texts.operations[operation]}</strong> {texts.by(by)}{' '}
        <time dateTime={at}>{formatTime(at)}</time>
      </p>
      {changed.map((column) => (
        <p key={column} class="difference">
          {texts.columns[column]}: <del>{before!.marathon[column] ?? '–'}</del>{' '}
          <ins>{marathon[column] ?? '–'}</ins>
        </p>
      ))}
      {current !== undefined && operation !== 'delete' && (
        <button
          type="button"
          aria-label={`${texts.restore}: ${texts.version(version)}`}
          onClick={() => void attempt(marathon.id, current, version)}
        >
          {texts.restore}
        </button>
      )}
    </li>
  );
}

function differences(before: Change, after: Change): Column[] {
  return COLUMNS.filter((column) => before.marathon[column] !== after.marathon[column]);
}

async function attempt(id: number, current: number, version: number): Promise<void> {
  try {
    await restore(id, current, version);
    await fetchHistory(id);
  } catch (error) {
    notice.value = { text: (error as Error).message, canUndo: false };
  }
}

async function fetchHistory(id: number): Promise<void> {
  try {
    const { body } = await send<{ history: Change[] }>(`/marathon/${id}/history`);
    history.value = body.history;
    failure.value = undefined;
  } catch (error) {
    if (error instanceof AwayError) setTimeout(() => void fetchHistory(id), RETRY_MS);
    else failure.value = (error as Error).message;
  }
}
