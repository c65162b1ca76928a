import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { CellEditor } from './cell-editor.tsx';
import { attempt, edit, editor, remove, undo } from './edits.ts';
import { FirstVisit } from './first-visit.tsx';
import { isAdding } from './add-dialog.tsx';
import { formatCount } from './format.ts';
import { Headers } from './headers.tsx';
import { Highlighted } from './highlight.tsx';
import { isNarrow, rowHeight } from './layout.ts';
import { moved, range, refusal, rows } from './list.ts';
import { Scroll } from './scroll.ts';
import { texts } from './texts.ts';
import { COLUMNS, type Column, type Marathon } from './types.ts';
import { changeView, select, view } from './view.ts';

const SHOWN = ['id', ...COLUMNS] as const;

/** The active cell: the grid has the focus, and names it (https://www.w3.org/WAI/ARIA/apg/patterns/grid/). */
const active = signal<{ index: number; column: number }>({ index: 0, column: 1 });
const top = signal(0);
const scroll = new Scroll(rowHeight());

export function Grid() {
  const scroller = useRef<HTMLDivElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const { total, revision } = rows.value;
  void revision.value;
  const count = total.value ?? 0;
  scroll.rowHeight = rowHeight();
  scroll.resize(count, scroller.current?.clientHeight ?? 0);
  const look = () => {
    const { clientHeight } = scroller.current!;
    scroll.resize(count, clientHeight);
    const first = Math.floor(scroll.top / scroll.rowHeight);
    const last = Math.max(first, Math.ceil((scroll.top + clientHeight) / scroll.rowHeight));
    top.value = scroll.top;
    const visible = range.peek();
    if (visible.first !== first || visible.last !== last) range.value = { first, last };
  };
  useEffect(look, [count, isNarrow.value]);
  useEffect(() => {
    addEventListener('resize', look);
    return () => removeEventListener('resize', look);
  });
  useEffect(() => {
    active.value = { index: 0, column: active.peek().column };
    scroller.current!.scrollTop = scroll.reveal(0);
    look();
  }, [rows.value]);
  useLayoutEffect(() => {
    if (!moved.value) return;
    scroller.current!.scrollTop = scroll.moveBy(moved.value);
    active.value = { ...active.peek(), index: active.peek().index + moved.value };
    moved.value = 0;
    look();
  }, [moved.value]);
  const move = (index: number, column: number) => {
    const cell = {
      index: Math.max(0, Math.min(count - 1, index)),
      column: Math.max(0, Math.min(SHOWN.length - 1, column)),
    };
    active.value = cell;
    scroller.current!.scrollTop = scroll.reveal(cell.index);
    look();
  };
  const page = Math.floor((scroller.current?.clientHeight ?? 360) / scroll.rowHeight) - 1;
  return (
    <div
      class="grid"
      role="grid"
      aria-label={texts.title}
      aria-rowcount={count + 1}
      aria-colcount={SHOWN.length}
      aria-activedescendant={count ? cellId(active.value.index, active.value.column) : undefined}
      tabIndex={0}
      ref={grid}
      onKeyDown={(event) => onKey(event, move, page, count)}
    >
      <Headers columns={SHOWN} />
      <div
        class="scroller"
        role="presentation"
        ref={scroller}
        onScroll={() => {
          scroll.moveTo(scroller.current!.scrollTop);
          look();
        }}
      >
        <div class="content" role="presentation" style={{ height: `${scroll.height}px` }}>
          <Window onDone={() => grid.current!.focus()} move={move} />
        </div>
      </div>
      <Position />
    </div>
  );
}

type Move = (index: number, column: number) => void;

function Window({ onDone, move }: { onDone: () => void; move: Move }) {
  const { first, last } = range.value;
  const { revision, total } = rows.value;
  void revision.value;
  if (refusal.value) return <Empty text={refusal.value} />;
  if (total.value === 0 && !view.value.parameters.size) return <FirstVisit />;
  if (total.value === 0) return <Empty text={texts.noRows} />;
  const end = Math.min(last, (total.value ?? 0) - 1);
  const indexes = Array.from({ length: Math.max(0, end - first + 1) }, (_, n) => first + n);
  return (
    <div class="window" role="rowgroup">
      {indexes.map((index) => (
        <Row key={index} index={index} onDone={onDone} move={move} />
      ))}
    </div>
  );
}

function showAll(): void {
  changeView(Object.fromEntries([...view.peek().parameters.keys()].map((name) => [name, null])));
}

function Empty({ text }: { text: string }) {
  return (
    <div class="empty" role="row">
      <p role="gridcell">
        {text}
        <button type="button" onClick={showAll}>
          {texts.clear}
        </button>
      </p>
    </div>
  );
}

function Row({ index, onDone, move }: { index: number; onDone: () => void; move: Move }) {
  const marathon = rows.value.at(index);
  const isSelected = marathon !== undefined && marathon.id === view.value.selectedId;
  const isMarked = marathon !== undefined && rows.value.isMarked(marathon.id);
  const names = ['row', isSelected && 'selected', isMarked && 'marked'].filter(Boolean).join(' ');
  return (
    <div
      class={names}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      // a transform is no layout shift
      style={{ transform: `translateY(${index * scroll.rowHeight - top.value}px)` }}
    >
      {SHOWN.map((column, columnIndex) => {
        const isActive = active.value.index === index && active.value.column === columnIndex;
        const edited = editor.value;
        const isEdited = edited?.index === index && edited.column === column;
        return (
          <div
            key={column}
            id={cellId(index, columnIndex)}
            class={`cell ${column} ${isActive ? 'active' : ''}`}
            role="gridcell"
            aria-colindex={columnIndex + 1}
            onClick={() => {
              move(index, columnIndex);
              if (marathon) select(marathon.id);
            }}
            onDblClick={() => marathon && column !== 'id' && edit({ index, column }, marathon)}
          >
            {isEdited ? (
              <CellEditor
                onDone={onDone}
                onNext={(step) => editNext(index, columnIndex, step, move)}
              />
            ) : (
              <Value marathon={marathon} column={column} />
            )}
          </div>
        );
      })}
    </div>
  );
}

function Value({ marathon, column }: { marathon?: Marathon; column: 'id' | Column }) {
  if (!marathon) return <span class="loading" />;
  const value = marathon[column];
  const words = view.value.parameters.get('q') ?? '';
  if (value === null) return <span class="nothing">–</span>;
  if (typeof value === 'number') return <>{value}</>;
  return (
    <bdi>
      <Highlighted text={value} words={words} />
    </bdi>
  );
}

/** Goes to the next cell that can be edited, and edits it. */
function editNext(index: number, columnIndex: number, step: number, move: Move): void {
  const following = columnIndex + step;
  const isInRow = following >= 1 && following < SHOWN.length;
  const row = isInRow ? index : index + step;
  const column = isInRow ? following : step > 0 ? 1 : SHOWN.length - 1;
  const marathon = rows.peek().at(row);
  move(row, column);
  if (marathon) edit({ index: row, column: SHOWN[column] as Column }, marathon);
}

function onKey(event: KeyboardEvent, move: Move, page: number, count: number): void {
  if (editor.value || event.target !== event.currentTarget) return;
  const { index, column } = active.value;
  const marathon = rows.peek().at(index);
  const isCommand = event.ctrlKey || event.metaKey;
  const actions: Record<string, () => void> = {
    ArrowDown: () => move(index + 1, column),
    ArrowUp: () => move(index - 1, column),
    ArrowRight: () => move(index, column + 1),
    ArrowLeft: () => move(index, column - 1),
    PageDown: () => move(index + page, column),
    PageUp: () => move(index - page, column),
    Home: () => move(isCommand ? 0 : index, isCommand ? column : 0),
    End: () => move(isCommand ? count - 1 : index, isCommand ? column : SHOWN.length - 1),
    Enter: () => begin(index, column, marathon),
    F2: () => begin(index, column, marathon),
    Delete: () => marathon && void attempt(async () => remove(marathon)),
    ' ': () => marathon && select(marathon.id),
    Insert: () => (isAdding.value = true),
    Escape: () => select(undefined),
  };
  const action = isCommand && event.key === 'z' ? () => void undo() : actions[event.key];
  if (action) action();
  else if (event.key.length === 1 && !isCommand && !event.altKey && event.key !== '/')
    begin(index, column, marathon, event.key);
  else return;
  event.preventDefault();
}

function begin(index: number, column: number, marathon?: Marathon, text?: string): void {
  const name = SHOWN[column]!;
  if (marathon && name !== 'id') edit({ index, column: name }, marathon, text);
}

function Position() {
  const { first, last } = range.value;
  const total = rows.value.total.value ?? 0;
  if (!total) return null;
  const [from, to] = [first + 1, Math.min(last, total)].map(formatCount);
  return <p class="position">{texts.position(from!, to!, formatCount(total))}</p>;
}

function cellId(index: number, column: number): string {
  return `cell-${index}-${column}`;
}
