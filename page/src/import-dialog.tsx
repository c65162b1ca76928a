import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { messageOf, RefusedError } from './api.ts';
import { Dialog } from './dialogs.tsx';
import { formatCount } from './format.ts';
import {
  addedLines,
  importFile,
  MAX_SHOWN,
  plan,
  dryRun,
  separateBy,
  SEPARATORS,
  type Counts,
  type Existing,
  type Plan,
  type Preview,
} from './import.ts';
import { withKey } from './keys.ts';
import { Select } from './select.tsx';
import { texts } from './texts.ts';
import { COLUMNS, type Column, type Marathon, type Problem } from './types.ts';
import { rememberMany } from './writes.ts';

const CHARSETS = ['', 'windows-1252', 'iso-8859-2', 'windows-1251', 'shift_jis', 'gb18030'];

const preview = signal<Preview | undefined>(undefined);
const problem = signal<Problem | string | undefined>(undefined);
/** The share of the file that was sent; undefined if it is not being sent. */
const progress = signal<number | undefined>(undefined);

/** What a file would do, row by row, and then the import. */
export function ImportDialog() {
  const aborting = useRef(new AbortController());
  const planned = plan.value;
  useEffect(() => {
    preview.value = undefined;
    problem.value = undefined;
    if (!planned) return undefined;
    const controller = new AbortController();
    void show(planned, controller.signal);
    return () => controller.abort();
  }, [planned]);
  if (!planned) return null;
  const cancel = () => {
    aborting.current.abort();
    progress.value = undefined;
    plan.value = undefined;
  };
  const start = () => {
    aborting.current = new AbortController();
    void run(planned, aborting.current.signal);
  };
  return (
    <Dialog title={texts.import} onCancel={cancel}>
      <h2>
        {planned.areCells ? (
          texts.pasteCells
        ) : (
          <>
            {texts.import}: <bdi>{planned.file.name}</bdi>
          </>
        )}
      </h2>
      <Choices planned={planned} />
      <Outcome />
      {progress.value !== undefined && (
        <progress value={progress.value} aria-label={texts.sending} />
      )}
      <div class="buttons">
        <button type="button" onClick={cancel}>
          {texts.cancel}
        </button>
        <button
          type="button"
          class="primary"
          disabled={!preview.value || progress.value !== undefined}
          onClick={start}
        >
          {planned.areCells ? texts.paste : texts.import}
        </button>
      </div>
    </Dialog>
  );
}

function change(changes: Partial<Plan>): void {
  plan.value = { ...plan.peek()!, ...changes };
}

function Choices({ planned }: { planned: Plan }) {
  const { header, mapping, existing, charset, separator, areCells } = planned;
  if (areCells) return null;
  return (
    <div class="choices-of-import">
      {header.length > 0 &&
        COLUMNS.map((column) => (
          <Select
            key={column}
            label={texts.columns[column]}
            value={mapping[column] ?? ''}
            options={['', ...header].map((name) => [name, name || texts.notInFile])}
            onChange={(name) => change({ mapping: { ...mapping, [column]: name || undefined } })}
          />
        ))}
      <Select
        label={texts.ifThere}
        value={existing}
        options={Object.entries(texts.existing)}
        onChange={(value) => change({ existing: value as Existing })}
      />
      {header.length > 0 && (
        <Select
          label={texts.separator}
          value={separator}
          options={['', ...SEPARATORS].map((each) => [each, texts.separators[each]!])}
          onChange={(value) => void separateBy(value)}
        />
      )}
      <Select
        label={texts.encoding}
        value={charset}
        options={CHARSETS.map((name) => [name, name || texts.detected])}
        onChange={(value) => change({ charset: value })}
      />
    </div>
  );
}

function Outcome() {
  const refused = problem.value;
  if (typeof refused === 'string') return <p role="alert">{refused}</p>;
  if (refused) return <Refused problem={refused} />;
  if (!preview.value) return <p role="status">{texts.reading}</p>;
  const { counts, rows, before } = preview.value;
  return (
    <>
      <p role="status">{summarize(texts.willImport, counts)}</p>
      {rows.length > 0 && (
        <div class="preview" tabIndex={0} role="region" aria-label={texts.preview}>
          <table>
            <tbody>
              {rows.map((row) => (
                <PreviewRow key={row.id} row={row} before={before.get(row.id)} />
              ))}
            </tbody>
          </table>
          {counts.inserted + counts.updated > MAX_SHOWN && <p>{texts.firstRows(MAX_SHOWN)}</p>}
        </div>
      )}
    </>
  );
}

function PreviewRow({ row, before }: { row: Marathon; before?: Marathon }) {
  return (
    <tr>
      <th scope="row">{before ? texts.willChange : texts.willAdd}</th>
      {COLUMNS.map((column) => (
        <td key={column}>
          {before && before[column] !== row[column] ? (
            <>
              <del>{before[column] ?? '–'}</del> <ins>{row[column] ?? '–'}</ins>
            </>
          ) : (
            <bdi>{row[column] ?? '–'}</bdi>
          )}
        </td>
      ))}
    </tr>
  );
}

function Refused({ problem: { detail, errors = [] } }: { problem: Problem }) {
  const describe = plan.value!.areCells ? texts.rowError : texts.lineError;
  return (
    <div role="alert">
      <p>{detail}</p>
      {errors.length > 0 && (
        <ul class="preview" tabIndex={0}>
          {errors.slice(0, MAX_SHOWN).map(({ line, pointer, detail: reason }) => (
            <li key={`${line}${pointer}`}>
              {describe(lineOf(line), nameOf(pointer), reason ?? '')}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function lineOf(line: number | undefined): number | undefined {
  return line === undefined ? undefined : line - addedLines(plan.value!);
}

function nameOf(pointer = ''): string {
  const name = pointer.split('/').at(-1)!;
  return texts.columns[name as Column] ?? name;
}

function summarize(text: typeof texts.willImport, { inserted, updated, skipped }: Counts): string {
  return text(formatCount(inserted), formatCount(updated), formatCount(skipped));
}

async function show(planned: Plan, aborted: AbortSignal): Promise<void> {
  try {
    const found = await withKey(async () => dryRun(planned, aborted), { isWrite: true });
    if (!aborted.aborted) preview.value = found;
  } catch (error) {
    if (!aborted.aborted) showProblem(error);
  }
}

async function run(planned: Plan, aborted: AbortSignal): Promise<void> {
  progress.value = 0;
  try {
    const onProgress = (share: number) => (progress.value = share);
    const { counts, changes } = await importFile(planned, onProgress, aborted);
    plan.value = undefined;
    const text = summarize(texts.wasImported, counts);
    rememberMany(text, changes, counts.inserted + counts.updated);
  } catch (error) {
    if (!aborted.aborted) showProblem(error);
  } finally {
    progress.value = undefined;
  }
}

function showProblem(error: unknown): void {
  preview.value = undefined;
  problem.value = error instanceof RefusedError ? error.problem : messageOf(error);
}
