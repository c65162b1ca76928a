import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Dialog } from './dialogs.tsx';
import { choose, fileOf } from './import.ts';
import { texts } from './texts.ts';

/** Whether rows are being pasted into a field. */
export const isPasting = signal(false);

/** Takes a file that is dropped anywhere on the page, and text that is pasted outside of fields. */
export function useDroppedFiles(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const { clipboardData, target } = event;
      const file = clipboardData?.files[0];
      const text = clipboardData?.getData('text/plain');
      if (event.defaultPrevented || isField(target) || !(file ?? text)) return;
      event.preventDefault();
      void choose(file ?? fileOf(text!));
    };
    const allow = (event: DragEvent) => event.preventDefault();
    const take = (event: DragEvent) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void choose(file);
    };
    addEventListener('dragover', allow);
    addEventListener('drop', take);
    addEventListener('paste', paste);
    return () => {
      removeEventListener('dragover', allow);
      removeEventListener('drop', take);
      removeEventListener('paste', paste);
    };
  }, []);
}

/** Whether someone types there. */
export function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/** Takes rows that are pasted into a field. */
export function PasteDialog() {
  const field = useRef<HTMLTextAreaElement>(null);
  if (!isPasting.value) return null;
  const close = () => (isPasting.value = false);
  const read = (event: Event) => {
    event.preventDefault();
    const text = field.current!.value;
    if (!text.trim()) return;
    close();
    void choose(fileOf(text));
  };
  return (
    <Dialog title={texts.pasteRows} onCancel={close}>
      <form class="fields" onSubmit={read}>
        <h2>{texts.pasteRows}</h2>
        <label>
          {texts.pasteHint}
          <textarea ref={field} rows={10} cols={60} required />
        </label>
        <div class="buttons">
          <button type="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary">
            {texts.readRows}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
