import { useEffect, useRef } from 'preact/hooks';
import { choose } from './import.ts';

let ask = () => {};

/** Lets the person choose a file to import. */
export function askForFile(): void {
  ask();
}

export function FileInput() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    ask = () => input.current!.click();
  }, []);
  const take = () => {
    const file = input.current!.files?.[0];
    if (file) void choose(file);
    input.current!.value = '';
  };
  return (
    <input
      ref={input}
      type="file"
      hidden
      accept=".csv,.tsv,.txt,.json,.ndjson,.jsonl"
      onChange={take}
    />
  );
}
