import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { messageOf, RefusedError } from './api.ts';
import { remove, restore } from './edits.ts';
import { editOne } from './form-dialog.tsx';
import { formatTime } from './format.ts';
import { lastSeq, rows } from './list.ts';
import { attempt } from './notices.ts';
import { dayOf, endOfDay } from './past.ts';
import { read } from './reads.ts';
import { texts } from './texts.ts';
import { COLUMNS, type Change, type Column, type Marathon } from './types.ts';
import { isPast, view } from './view.ts';

const history = signal<Change[]>([]);
/** How many versions were restored here. */
const restoredCount = signal(0);
const failure = signal<string | undefined>(undefined);

/** A marathon, and what changed from version to version. */
export function Details({ id, onClose }: { id: number; onClose: () => void }) {
  useEffect(() => {
    history.value = [];
    failure.value = undefined;
  }, [id]);
  useEffect(() => {
    // an answer that comes late must not replace the history of another marathon
    const fetching = new AbortController();
    void showHistory(id, fetching.signal);
    return () => fetching.abort();
  }, [id, lastSeq.value, restoredCount.value]);
  const [latest] = history.value;
  const current = latest && { ...latest.marathon, version: latest.version };
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
      {latest && latest.operation !== 'delete' && !isPast.value && <Actions marathon={current!} />}
      {latest && <Values id={id} latest={latest.marathon} />}
      <h3>{texts.history}</h3>
      <ol class="timeline">
        {history.value.map((change, index) => (
          <Version
            key={change.seq}
            change={change}
            before={history.value[index + 1]}
            current={index ? current : undefined}
          />
        ))}
      </ol>
    </article>
  );
}

function Actions({ marathon }: { marathon: Marathon }) {
  return (
    <div class="buttons">
      <button type="button" onClick={() => void attempt(async () => remove(newestOf(marathon)))}>
        {texts.delete}
      </button>
      <button type="button" onClick={() => editOne(newestOf(marathon))}>
        {texts.edit}
      </button>
    </div>
  );
}

/** What was just saved is in its row before its history is fetched. */
function newestOf(marathon: Marathon): Marathon {
  return rows.peek().newestOf(marathon);
}

type Values = Pick<Marathon, Column>;

/** What the marathon is, or what it was at the end of a day. */
function Values({ id, latest }: { id: number; latest: Values }) {
  const [day, setDay] = useState(dayOf(view.value.parameters.get('as_of')));
  const [earlier, setEarlier] = useState<Values | 'none' | undefined>(undefined);
  useEffect(() => {
    const fetching = new AbortController();
    setEarlier(undefined);
    void fetchAt(id, endOfDay(day), fetching.signal).then(setEarlier, showFailure);
    return () => fetching.abort();
  }, [id, day]);
  const values = earlier === 'none' ? undefined : (earlier ?? latest);
  return (
    <>
      <label class="date">
        {texts.asItWasOn}
        <input
          type="date"
          value={day}
          max={dayOf(new Date().toISOString())}
          onChange={({ currentTarget }) => setDay(currentTarget.value)}
        />
      </label>
      {!values && <p role="status">{texts.wasNotThere}</p>}
      {values && (
        <dl>
          {COLUMNS.slice(earlier ? 0 : 1).map((column) => (
            <div key={column}>
              <dt>{texts.columns[column]}</dt>
              <dd>
                <bdi>{values[column] ?? '–'}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

async function fetchAt(id: number, time: string | undefined, aborted: AbortSignal) {
  if (time === undefined) return undefined;
  const address = `/marathon/${id}?as_of=${time}`;
  try {
    return await read<Marathon>(address, aborted);
  } catch (error) {
    if (aborted.aborted) return undefined;
    if (error instanceof RefusedError && error.problem.status === 404) return 'none';
    throw error;
  }
}

function showFailure(error: unknown): void {
  failure.value = messageOf(error);
}

interface VersionProperties {
  change: Change;
  before?: Change;
  /** What a restore replaces; none for the latest version. */
  current?: Marathon;
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
          onClick={() => void attempt(async () => restoreVersion(current, version))}
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

async function restoreVersion(current: Marathon, version: number): Promise<void> {
  await restore(current.id, newestOf(current).version, version);
  restoredCount.value += 1;
}

async function showHistory(id: number, aborted: AbortSignal): Promise<void> {
  const address = `/marathon/${id}/history`;
  try {
    const body = await read<{ history: Change[] }>(address, aborted);
    if (aborted.aborted) return;
    history.value = body.history;
    failure.value = undefined;
  } catch (error) {
    if (!aborted.aborted) failure.value = messageOf(error);
  }
}
