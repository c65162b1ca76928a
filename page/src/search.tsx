import { useEffect, useRef } from 'preact/hooks';
import { texts } from './texts.ts';
import { useDelayed } from './use-delayed.ts';
import { changeView, view } from './view.ts';

const TYPING_MS = 150;

export function Search() {
  const input = useRef<HTMLInputElement>(null);
  const words = view.value.parameters.get('q') ?? '';
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = words;
  }, [words]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const search = useDelayed(
    () => changeView({ q: input.current!.value.trim() || null }, { isReplaced: true }),
    TYPING_MS,
  );
  return (
    <search class="search">
      <input
        ref={input}
        type="search"
        aria-label={texts.search}
        placeholder={texts.search}
        title={texts.searchKey}
        defaultValue={words}
        onInput={search}
      />
    </search>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
