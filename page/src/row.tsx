import { CellEditor } from './cell-editor.tsx';
import { choice, chooseBetween, isChosen, toggle } from './chosen.ts';
import { isColumn, shownColumns, type GridColumn } from './columns.ts';
import { edit, editor } from './edits.ts';
import { active, cellId, columnAt, scroll, top, type Move } from './grid-cells.ts';
import { Highlighted } from './highlight.tsx';
import { rows } from './list.ts';
import { texts } from './texts.ts';
import type { Column, Marathon } from './types.ts';
import { select, view } from './view.ts';

interface Properties {
  index: number;
  onDone: () => void;
  move: Move;
}

export function Row({ index, onDone, move }: Properties) {
  const marathon = rows.value.at(index);
  void choice.value;
  const isOpen = marathon !== undefined && marathon.id === view.value.selectedId;
  const isMarked = marathon !== undefined && rows.value.isMarked(marathon.id);
  const isSelected = marathon !== undefined && isChosen(marathon.id);
  const names = ['row', isOpen && 'selected', isSelected && 'chosen', isMarked && 'marked'];
  return (
    <div
      class={names.filter(Boolean).join(' ')}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      aria-current={isOpen}
      // a transform is no layout shift
      style={{ transform: `translateY(${index * scroll.rowHeight - top.value}px)` }}
    >
      {shownColumns.value.map((column, columnIndex) => {
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
            onClick={(event) => click(event, index, columnIndex, move)}
            onDblClick={() => marathon && isColumn(column) && edit({ index, column }, marathon)}
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

/** A click shows the history. In the first column, or with Shift or Ctrl, it chooses rows. */
function click(event: MouseEvent, index: number, columnIndex: number, move: Move): void {
  const from = active.peek().index;
  const marathon = rows.peek().at(index);
  move(index, columnIndex);
  if (!marathon) return;
  if (event.shiftKey) chooseBetween(from, index);
  else if (columnAt(columnIndex) === 'chosen' || event.ctrlKey || event.metaKey)
    toggle(marathon.id);
  else select(marathon.id);
}

function Value({ marathon, column }: { marathon?: Marathon; column: GridColumn }) {
  if (!marathon) return column === 'chosen' ? null : <span class="loading" />;
  if (column === 'chosen') {
    const { id, name } = marathon;
    return (
      <input
        type="checkbox"
        tabIndex={-1}
        checked={isChosen(id)}
        aria-label={texts.choose(name ?? `#${id}`)}
      />
    );
  }
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
  const last = shownColumns.peek().length - 1;
  const first = shownColumns.peek().findIndex(isColumn);
  const following = columnIndex + step;
  const isInRow = following >= first && following <= last;
  const row = isInRow ? index : index + step;
  const column = isInRow ? following : step > 0 ? first : last;
  const marathon = rows.peek().at(row);
  move(row, column);
  if (marathon) edit({ index: row, column: columnAt(column) as Column }, marathon);
}
