import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isAdding } from './add-dialog.tsx';
import { send } from './api.ts';
import { attempt, notice } from './edits.ts';
import { choose } from './import.ts';
import { arePicturesOpen, isNarrow } from './layout.ts';
import { texts } from './texts.ts';
import type { Marathon } from './types.ts';
import { view } from './view.ts';

const FORMATS = ['csv', 'ndjson', 'json'] as const;
/** What is copied fits into a clipboard. */
const MAX_COPIED_ROWS = 10_000;

const isMenuOpen = signal(false);

export function Toolbar() {
  return (
    <div class="toolbar">
      <button type="button" class="primary" onClick={() => (isAdding.value = true)}>
        {texts.add}
      </button>
      <ImportButton />
      <ExportMenu />
      {isNarrow.value && (
        <button
          type="button"
          aria-pressed={arePicturesOpen.value}
          onClick={() => (arePicturesOpen.value = !arePicturesOpen.value)}
        >
          {texts.pictures}
        </button>
      )}
    </div>
  );
}

function ImportButton() {
  const input = useRef<HTMLInputElement>(null);
  const take = () => {
    const file = input.current!.files?.[0];
    if (file) void choose(file);
    input.current!.value = '';
  };
  return (
    <>
      <button type="button" title={texts.importHint} onClick={() => input.current!.click()}>
        {texts.import}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.tsv,.txt,.json,.ndjson,.jsonl"
        onChange={take}
      />
    </>
  );
}

/** What is shown, as a file, as text to paste, or on paper. */
function ExportMenu() {
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const close = ({ target }: Event) => {
      if (!menu.current?.contains(target as Node)) isMenuOpen.value = false;
    };
    addEventListener('pointerdown', close);
    return () => removeEventListener('pointerdown', close);
  }, []);
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    isMenuOpen.value = false;
    menu.current!.querySelector('button')!.focus();
  };
  return (
    <div class="menu" ref={menu} onKeyDown={onKey}>
      <button
        type="button"
        aria-expanded={isMenuOpen.value}
        onClick={() => (isMenuOpen.value = !isMenuOpen.value)}
      >
        {texts.export}
      </button>
      {isMenuOpen.value && (
        <ul onClick={() => (isMenuOpen.value = false)}>
          {FORMATS.map((format) => (
            <li key={format}>
              <a href={addressOf(format)} download={`marathons.${format}`}>
                {texts.formats[format]}
              </a>
            </li>
          ))}
          <li>
            <button type="button" onClick={() => void attempt(async () => copy(await fetchCsv()))}>
              {texts.copyCsv}
            </button>
          </li>
          <li>
            <button
              type="button"
              onClick={() => void attempt(async () => copy(await fetchMarkdown()))}
            >
              {texts.copyMarkdown}
            </button>
          </li>
          <li>
            <button type="button" onClick={() => print()}>
              {texts.print}
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}

function addressOf(format: string, limit?: number): string {
  const parameters = new URLSearchParams(view.value.parameters);
  parameters.set('format', format);
  if (limit !== undefined) parameters.set('limit', String(limit));
  return `/marathon/?${parameters.toString()}`;
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  notice.value = { text: texts.copied, canUndo: false };
}

async function fetchCsv(): Promise<string> {
  return (await send<string>(addressOf('csv', MAX_COPIED_ROWS), { isText: true })).body;
}

async function fetchMarkdown(): Promise<string> {
  const { body } = await send<{ marathon_list: Marathon[] }>(addressOf('json', MAX_COPIED_ROWS));
  const names = Object.keys(texts.columns) as (keyof typeof texts.columns)[];
  const lines = [
    names.map((name) => texts.columns[name]),
    names.map(() => '---'),
    ...body.marathon_list.map((marathon) => names.map((name) => escapeCell(marathon[name]))),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function escapeCell(value: string | number | null): string {
  return String(value ?? '').replaceAll(/[\\|`*_<>[\]]/g, String.raw`\$&`);
}
