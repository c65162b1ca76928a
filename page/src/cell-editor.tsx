import { useLayoutEffect, useRef } from 'preact/hooks';
import { editor, save } from './edits.ts';
import { texts } from './texts.ts';

interface Properties {
  onDone: () => void;
  onNext: (step: number) => void;
}

/** The field in which a cell is edited. What is wrong stands below it. */
export function CellEditor({ onDone, onNext }: Properties) {
  const input = useRef<HTMLInputElement>(null);
  const { column, text, error, isSaving } = editor.value!;
  // before the next key arrives
  useLayoutEffect(() => {
    input.current!.focus();
    input.current!.setSelectionRange(text.length, text.length);
  }, []);
  const onKey = async (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') {
      editor.value = undefined;
      onDone();
    } else if (event.key === 'Enter' || event.key === 'Tab') {
      event.preventDefault();
      const step = event.shiftKey ? -1 : 1;
      if (!(await save())) return;
      onDone();
      if (event.key === 'Tab') onNext(step);
    }
  };
  return (
    <span class="editor">
      <input
        ref={input}
        aria-label={texts.columns[column]}
        aria-invalid={Boolean(error)}
        aria-describedby={error ? 'cell-error' : undefined}
        inputMode={column === 'inception_year' ? 'numeric' : 'text'}
        value={text}
        readOnly={isSaving}
        onInput={({ currentTarget }) =>
          (editor.value = { ...editor.peek()!, text: currentTarget.value, error: undefined })
        }
        onKeyDown={(event) => void onKey(event)}
        onBlur={() => void save()}
      />
      {error && (
        <span class="error" id="cell-error" role="alert">
          {error}
        </span>
      )}
    </span>
  );
}
