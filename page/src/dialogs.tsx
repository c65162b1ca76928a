import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { keepKey } from './api.ts';
import { conflict, resolve } from './edits.ts';
import { keyRequest } from './keys.ts';
import { texts } from './texts.ts';

/** A modal dialog, open as long as it is rendered. */
export function Dialog({
  title,
  onCancel,
  children,
}: {
  title: string;
  onCancel: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // before the next key arrives
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
    >
      {children}
    </dialog>
  );
}

/** A dialog that is only looked at, and closed. */
export function InfoDialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  return (
    <Dialog title={title} onCancel={onClose}>
      <h2>{title}</h2>
      {children}
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          {texts.close}
        </button>
      </div>
    </Dialog>
  );
}

/** Shows both versions of a marathon that two people changed. */
export function ConflictDialog() {
  if (!conflict.value) return null;
  const { editor, theirs } = conflict.value;
  const { column, text, marathon } = editor;
  const title = `${marathon.name ?? ''} ${texts.conflict}`;
  return (
    <Dialog title={title} onCancel={() => void resolve(false)}>
      <h2>
        <bdi>{title}</bdi>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.columns[column]}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{texts.yours}</th>
            <td>
              <bdi>{text || '–'}</bdi>
            </td>
          </tr>
          <tr>
            <th scope="row">{texts.theirs}</th>
            <td>
              <bdi>{theirs[column] ?? '–'}</bdi>
            </td>
          </tr>
        </tbody>
      </table>
      <div class="buttons">
        <button type="button" onClick={() => void resolve(false)}>
          {texts.keepTheirs}
        </button>
        <button type="button" class="primary" onClick={() => void resolve(true)}>
          {texts.keepMine}
        </button>
      </div>
    </Dialog>
  );
}

/** Asks for an API key when it is needed. */
export function KeyDialog() {
  const input = useRef<HTMLInputElement>(null);
  if (!keyRequest.value) return null;
  const { isWrite, answer } = keyRequest.value;
  const use = (event: Event) => {
    event.preventDefault();
    keepKey(input.current!.value.trim());
    answer(true);
  };
  return (
    <Dialog title={texts.keyLabel} onCancel={() => answer(false)}>
      <form onSubmit={use}>
        <label>
          {isWrite ? texts.keyNeeded : texts.keyNeededToRead}
          <input
            ref={input}
            type="password"
            autocomplete="off"
            aria-label={texts.keyLabel}
            required
          />
        </label>
        <div class="buttons">
          <button type="button" onClick={() => answer(false)}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary">
            {texts.keyUse}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
