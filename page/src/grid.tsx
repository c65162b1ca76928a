import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { pasteCells } from './cells.ts';
import { gridTemplate, isColumn, shownColumns } from './columns.ts';
import { editor } from './edits.ts';
import { FirstVisit } from './first-visit.tsx';
import { formatCount } from './format.ts';
import { active, cellId, scroll, top, type Move } from './grid-cells.ts';
import { handleKey } from './grid-keys.ts';
import { Headers } from './headers.tsx';
import { isNarrow, rowHeight } from './layout.ts';
import { moved, range, refusal, retry, rows } from './list.ts';
import { attempt } from './notices.ts';
import { Row } from './row.tsx';
import { texts } from './texts.ts';
import { changeView, view } from './view.ts';

export function Grid() {
  const scroller = useRef<HTMLDivElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const { total, revision } = rows.value;
  void revision.value;
  const count = total.value ?? 0;
  const columns = shownColumns.value;
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
      column: Math.max(0, Math.min(columns.length - 1, column)),
    };
    active.value = cell;
    scroller.current!.scrollTop = scroll.reveal(cell.index);
    look();
  };
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData?.getData('text/plain');
    const column = columns[active.peek().column]!;
    if (editor.peek() || event.target !== grid.current || !text || !isColumn(column)) return;
    event.preventDefault();
    void attempt(async () => pasteCells(text, { index: active.peek().index, column }));
  };
  const page = Math.floor((scroller.current?.clientHeight ?? 360) / scroll.rowHeight) - 1;
  return (
    <div
      class="grid"
      role="grid"
      aria-label={texts.title}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      aria-multiselectable={true}
      style={{ '--columns': gridTemplate.value }}
      aria-activedescendant={count ? cellId(active.value.index, active.value.column) : undefined}
      tabIndex={0}
      ref={grid}
      onKeyDown={(event) => handleKey(event, { move, page, count })}
      onPaste={paste}
    >
      <Headers />
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

function Window({ onDone, move }: { onDone: () => void; move: Move }) {
  const { first, last } = range.value;
  const { revision, total } = rows.value;
  void revision.value;
  if (refusal.value?.isKeyNeeded)
    return <Empty text={refusal.value.text} button={texts.keyUse} onClick={retry} />;
  if (refusal.value) return <Empty text={refusal.value.text} />;
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

interface EmptyProperties {
  text: string;
  button?: string;
  onClick?: () => void;
}

function Empty({ text, button = texts.clear, onClick = showAll }: EmptyProperties) {
  return (
    <div class="empty" role="row">
      <p role="gridcell">
        {text}
        <button type="button" onClick={onClick}>
          {button}
        </button>
      </p>
    </div>
  );
}

function Position() {
  const { first, last } = range.value;
  const total = rows.value.total.value ?? 0;
  if (!total) return null;
  const [from, to] = [first + 1, Math.min(last, total)].map(formatCount);
  const text = texts.position(from!, to!, formatCount(total));
  // another element is no shift of the layout
  return (
    <p key={text} class="position">
      {text}
    </p>
  );
}
