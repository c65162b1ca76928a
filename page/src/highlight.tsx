/** Text in which what `words` found is marked. Case and accents do not matter. */
export function Highlighted({ text, words }: { text: string; words: string }) {
  const ranges = findRanges(text, words);
  if (!ranges.length) return <>{text}</>;
  let end = 0;
  const parts = ranges.flatMap(([from, to]) => {
    const part = [text.slice(end, from), <mark key={from}>{text.slice(from, to)}</mark>];
    end = to;
    return part;
  });
  return (
    <>
      {parts}
      {text.slice(end)}
    </>
  );
}

function findRanges(text: string, words: string): [number, number][] {
  const plain = [...text].map(withoutAccents);
  const ranges: [number, number][] = [];
  for (const word of words.split(/\s+/).filter(Boolean)) {
    const start = plain.join('').indexOf(withoutAccents(word));
    if (start < 0) continue;
    ranges.push(toOffsets([...text], plain, start, start + withoutAccents(word).length));
  }
  return ranges
    .sort(([a], [b]) => a - b)
    .filter(([from], index, all) => !index || from >= all[index - 1]![1]);
}

/** From places in the text without accents to places in the text. */
function toOffsets(
  characters: string[],
  plain: string[],
  start: number,
  end: number,
): [number, number] {
  let [plainOffset, offset, from] = [0, 0, 0];
  for (const [index, character] of characters.entries()) {
    if (plainOffset <= start) from = offset;
    if (plainOffset >= end) break;
    plainOffset += plain[index]!.length;
    offset += character.length;
  }
  return [from, offset];
}

function withoutAccents(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
