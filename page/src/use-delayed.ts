import { useEffect, useRef } from 'preact/hooks';

/** Returns a function that does work when it was not called again for a time: while someone types. */
export function useDelayed(work: () => void, delayMs: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(work, delayMs);
  };
}
