import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { messageOf, send } from './api.ts';
import { chooseNone, chosenCount, chosenFilter } from './chosen.ts';
import { Dialog } from './dialogs.tsx';
import { valueOf } from './edits.ts';
import { formatCount } from './format.ts';
import { withKey } from './keys.ts';
import { Select } from './select.tsx';
import { texts } from './texts.ts';
import { COLUMNS, type Column } from './types.ts';
import { useDelayed } from './use-delayed.ts';
import { isPast } from './view.ts';
import { CHANGES, rememberMany, write } from './writes.ts';

const TYPING_MS = 300;
/** A writer must name a limit. */
const COUNT_ONLY = 'tx=rollback, max-affected=1000000000';

interface Task {
  isDeletion: boolean;
  column: Column;
  text: string;
}

interface Counts {
  updated?: number;
  deleted?: number;
  skipped?: number;
}

const task = signal<Task | undefined>(undefined);
/** What the task would do, as a dry run found it. */
const counts = signal<Counts | undefined>(undefined);
const failure = signal<string | undefined>(undefined);

/** What can be done with the marathons that are chosen. */
export function ChosenBar() {
  const count = chosenCount.value;
  if (!count) return <p class="visually-hidden" role="status" />;
  return (
    <div class="chosen-bar">
      <p role="status">{texts.chosen(formatCount(count))}</p>
      {!isPast.value && (
        <>
          <button type="button" onClick={() => begin(false)}>
            {texts.changeChosen}
          </button>
          <button type="button" onClick={() => begin(true)}>
            {texts.deleteChosen}
          </button>
        </>
      )}
      <button type="button" onClick={chooseNone}>
        {texts.chooseNone}
      </button>
    </div>
  );
}

function begin(isDeletion: boolean): void {
  task.value = { isDeletion, column: COLUMNS[1], text: '' };
}

/** Changes or deletes the chosen marathons, after it has shown how many. */
export function ChosenDialog() {
  const current = task.value;
  const trying = useRef(new AbortController());
  const count = () => {
    trying.current.abort();
    trying.current = new AbortController();
    void showCounts(trying.current.signal);
  };
  const countSoon = useDelayed(count, TYPING_MS);
  useEffect(() => {
    if (current) count();
  }, [current?.isDeletion, current?.column]);
  if (!current) return null;
  const { isDeletion } = current;
  const title = isDeletion ? texts.deleteMany : texts.changeMany;
  const change = (changes: Partial<Task>) => {
    counts.value = undefined;
    task.value = { ...current, ...changes };
  };
  return (
    <Dialog title={title} onCancel={close}>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (counts.value) void apply();
        }}
      >
        <h2>{title}</h2>
        {!isDeletion && (
          <>
            <Select
              label={texts.column}
              value={current.column}
              options={COLUMNS.map((column) => [column, texts.columns[column]])}
              onChange={(column) => change({ column: column as Column })}
            />
            <label>
              {texts.newValue}
              <input
                value={current.text}
                aria-invalid={Boolean(failure.value)}
                onInput={({ currentTarget }) => {
                  change({ text: currentTarget.value });
                  countSoon();
                }}
              />
            </label>
          </>
        )}
        <Outcome />
        <div class="buttons">
          <button type="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary" disabled={!counts.value}>
            {title}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Outcome() {
  if (failure.value) {
    return (
      <p class="wrong" role="alert">
        {failure.value}
      </p>
    );
  }
  return <p role="status">{counts.value ? summarize(counts.value) : texts.counting}</p>;
}

function summarize({ updated = 0, deleted, skipped = 0 }: Counts): string {
  return deleted === undefined
    ? texts.willUpdate(formatCount(updated), formatCount(skipped))
    : texts.willDelete(formatCount(deleted));
}

function close(): void {
  task.value = undefined;
  counts.value = undefined;
  failure.value = undefined;
}

async function showCounts(aborted: AbortSignal): Promise<void> {
  counts.value = undefined;
  failure.value = undefined;
  try {
    const found = await withKey(
      async () => send<Counts>(await address(), { ...request(COUNT_ONLY), signal: aborted }),
      { isWrite: true },
    );
    if (!aborted.aborted) counts.value = found.body;
  } catch (error) {
    if (!aborted.aborted) failure.value = messageOf(error);
  }
}

/** No more are written than were counted. */
async function apply(): Promise<void> {
  const { updated = 0, deleted = 0 } = counts.peek()!;
  const count = updated + deleted;
  try {
    const { headers } = await write(await address(), request(`max-affected=${count}`));
    const text = texts.wereWritten(formatCount(count), task.peek()!.isDeletion);
    close();
    chooseNone();
    rememberMany(text, headers.get(CHANGES), count);
  } catch (error) {
    failure.value = messageOf(error);
  }
}

async function address(): Promise<string> {
  return `/marathon/?${await chosenFilter()}`;
}

function request(preference: string) {
  const { isDeletion, column, text } = task.peek()!;
  const headers = { Prefer: preference };
  if (isDeletion) return { method: 'DELETE', headers };
  return { method: 'PATCH', headers, body: { [column]: valueOf(column, text) } };
}
