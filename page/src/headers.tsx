import { useRef } from 'preact/hooks';
import { choice, chooseAll, chooseNone } from './chosen.ts';
import { resetWidth, shownColumns, widen, type GridColumn } from './columns.ts';
import { texts } from './texts.ts';
import { useDelayed } from './use-delayed.ts';
import { changeView, sortTerms, toggleSort, view } from './view.ts';

const TYPING_MS = 250;
/** In pixels. */
const WIDTH_STEP = 16;
type Name = keyof typeof texts.columns;

export function Headers() {
  return (
    <div class="head" role="rowgroup">
      <div class="row" role="row" aria-rowindex={1}>
        {shownColumns.value.map((column, columnIndex) =>
          column === 'chosen' ? (
            <ChoiceHeader key={column} />
          ) : (
            <Header key={column} column={column} columnIndex={columnIndex} />
          ),
        )}
      </div>
    </div>
  );
}

/** Chooses all rows of the list, also those that are not loaded. */
function ChoiceHeader() {
  const { isAll, ids } = choice.value;
  return (
    <div class="header chosen" role="columnheader" aria-colindex={1}>
      <input
        type="checkbox"
        aria-label={texts.chooseAll}
        checked={isAll && !ids.size}
        onChange={({ currentTarget }) => (currentTarget.checked ? chooseAll() : chooseNone())}
      />
    </div>
  );
}

function Header({ column, columnIndex }: { column: Name; columnIndex: number }) {
  const terms = sortTerms.value;
  const rank = terms.findIndex((term) => term.column === column);
  const term = terms[rank];
  const direction = term && (term.isDescending ? 'descending' : 'ascending');
  return (
    <div
      class={`header ${column}`}
      role="columnheader"
      aria-colindex={columnIndex + 1}
      aria-sort={direction ?? 'none'}
    >
      <button
        type="button"
        title={texts.sortBy(texts.columns[column])}
        onClick={({ shiftKey }) => toggleSort(column, shiftKey)}
      >
        {texts.columns[column]}
        <span aria-hidden="true" class="arrow">
          {term && (term.isDescending ? '↓' : '↑')}
          {term && terms.length > 1 && rank + 1}
        </span>
      </button>
      {column === 'id' ? null : column === 'inception_year' ? (
        <YearFilter />
      ) : (
        <TextFilter column={column} />
      )}
      <WidthHandle column={column} />
    </div>
  );
}

/** Widens a column: by dragging, or by the arrow keys. A double click gives it its first width. */
function WidthHandle({ column }: { column: GridColumn }) {
  const handle = useRef<HTMLDivElement>(null);
  const width = () => handle.current!.parentElement!.getBoundingClientRect().width;
  const drag = (event: PointerEvent) => {
    const [startX, startWidth] = [event.clientX, width()];
    const follow = ({ clientX }: PointerEvent) => widen(column, startWidth + clientX - startX);
    handle.current!.setPointerCapture(event.pointerId);
    handle.current!.addEventListener('pointermove', follow);
    const end = () => handle.current?.removeEventListener('pointermove', follow);
    handle.current!.addEventListener('lostpointercapture', end, { once: true });
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -WIDTH_STEP, ArrowRight: WIDTH_STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    widen(column, width() + step);
  };
  return (
    <div
      ref={handle}
      class="width-handle"
      role="separator"
      aria-orientation="vertical"
      aria-label={texts.widthOf(texts.columns[column as Name])}
      aria-valuenow={view.value.widths[column] ?? 0}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={onKey}
      onDblClick={() => resetWidth(column)}
    />
  );
}

function TextFilter({ column }: { column: Name }) {
  const input = useRef<HTMLInputElement>(null);
  const value = view.value.parameters.get(column) ?? '';
  const text = /^ilike\.\*(.*)\*$/.exec(value)?.[1] ?? '';
  const filter = useDelayed(() => {
    const words = input.current!.value.trim();
    changeView({ [column]: words ? filterOf(words) : null }, { isReplaced: true });
  }, TYPING_MS);
  return (
    <input
      ref={input}
      class="filter"
      type="search"
      key={value && !text ? value : 'contains'}
      defaultValue={value === 'is.null' ? '=' : text || value.replace(/^eq\./, '=')}
      placeholder={texts.contains}
      aria-label={texts.filterOf(texts.columns[column])}
      onInput={filter}
    />
  );
}

/** `=` alone finds what is empty, and `=text` what equals the text. */
function filterOf(words: string): string {
  if (words === '=') return 'is.null';
  if (words.startsWith('=')) return `eq.${words.slice(1)}`;
  return `ilike.*${words.replaceAll(/[\\*%_]/g, String.raw`\$&`)}*`;
}

function YearFilter() {
  const values = view.value.parameters.getAll('inception_year');
  const yearOf = (operator: string) =>
    values.find((value) => value.startsWith(operator))?.slice(operator.length) ?? '';
  const [from, to] = [yearOf('gte.'), yearOf('lte.')];
  return (
    <span class="years">
      <input
        class="filter"
        inputMode="numeric"
        value={from}
        placeholder={texts.from}
        aria-label={`${texts.columns.inception_year} ${texts.from}`}
        onChange={({ currentTarget }) => filterYears(yearIn(currentTarget.value), to)}
      />
      <input
        class="filter"
        inputMode="numeric"
        value={to}
        placeholder={texts.to}
        aria-label={`${texts.columns.inception_year} ${texts.to}`}
        onChange={({ currentTarget }) => filterYears(from, yearIn(currentTarget.value))}
      />
    </span>
  );
}

function filterYears(from: string, to: string): void {
  const conditions = [from && `gte.${from}`, to && `lte.${to}`].filter(Boolean);
  changeView({ inception_year: conditions.length ? conditions : null }, { isReplaced: true });
}

function yearIn(text: string): string {
  return text.replaceAll(/\D/g, '').slice(0, 4);
}
