import { askForFile } from './file-input.tsx';
import { addOne } from './form-dialog.tsx';
import { send } from './api.ts';
import { arePicturesOpen, isNarrow } from './layout.ts';
import { Menu } from './menu.tsx';
import { attempt, say } from './notices.ts';
import { isPasting } from './pasting.tsx';
import { texts } from './texts.ts';
import type { Marathon } from './types.ts';
import { view } from './view.ts';
import { ViewMenu } from './view-menu.tsx';

const FORMATS = ['csv', 'ndjson', 'json'] as const;
/** What is copied fits into a clipboard. */
const MAX_COPIED_ROWS = 10_000;

export function Toolbar() {
  return (
    <div class="toolbar">
      <button type="button" class="primary" onClick={addOne}>
        {isNarrow.value ? texts.addShort : texts.add}
      </button>
      <ImportMenu />
      <ExportMenu />
      <ViewMenu />
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

function ImportMenu() {
  return (
    <Menu label={texts.import}>
      <Item text={texts.importFile} work={async () => askForFile()} />
      <Item text={texts.pasteRows} work={async () => void (isPasting.value = true)} />
    </Menu>
  );
}

/** What is shown, as a file, as text to paste, or on paper. */
function ExportMenu() {
  return (
    <Menu label={texts.export}>
      {FORMATS.map((format) => (
        <li key={format}>
          <a href={addressOf(format)} download={`marathons.${format}`}>
            {texts.formats[format]}
          </a>
        </li>
      ))}
      <Item text={texts.copyCsv} work={async () => copy(await fetchCsv())} />
      <Item text={texts.copyMarkdown} work={async () => copy(await fetchMarkdown())} />
      <Item text={texts.print} work={async () => print()} />
    </Menu>
  );
}

function Item({ text, work }: { text: string; work: () => Promise<void> }) {
  return (
    <li>
      <button type="button" onClick={() => void attempt(work)}>
        {text}
      </button>
    </li>
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
  say(texts.copied);
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
