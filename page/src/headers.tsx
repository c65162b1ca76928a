import { useRef } from 'preact/hooks';
import { texts } from './texts.ts';
import { useDelayed } from './use-delayed.ts';
import { changeView, sortTerms, toggleSort, view } from './view.ts';

const TYPING_MS = 250;
type Name = keyof typeof texts.columns;

export function Headers({ columns }: { columns: readonly Name[] }) {
  return (
    <div class="head" role="rowgroup">
      <div class="row" role="row" aria-rowindex={1}>
        {columns.map((column, columnIndex) => (
          <Header key={column} column={column} columnIndex={columnIndex} />
        ))}
      </div>
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
    </div>
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
