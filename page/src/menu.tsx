import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface Properties {
  label: string;
  children: ComponentChildren;
  /** Whether it stays open when a box or a date was changed. */
  isSticky?: boolean;
}

/** A button that shows what can be done. Escape and a click elsewhere hide it. */
export function Menu({ label, children, isSticky }: Properties) {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const close = ({ target }: Event) => {
      if (!menu.current?.contains(target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', close);
    return () => removeEventListener('pointerdown', close);
  }, []);
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    setOpen(false);
    menu.current!.querySelector('button')!.focus();
  };
  const choose = ({ target }: Event) => {
    if (!isSticky || (target as Element).closest('button, a')) setOpen(false);
  };
  return (
    <div class="menu" ref={menu} onKeyDown={onKey}>
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {label}
      </button>
      {isOpen && <ul onClick={choose}>{children}</ul>}
    </div>
  );
}
