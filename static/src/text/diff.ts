// What changed between two texts: lines that stayed, went and came, and the words within them.

export interface Line {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
  /** The parts of the line that changed, as [from, to); empty when all of it did. */
  readonly marks: readonly (readonly [number, number])[];
}

interface Edit {
  readonly kind: Line['kind'];
  readonly from: number; // index in `before`, for a line that came in `after`
}

const MOST_STEPS = 2_000_000; // of the search; above, the middle is shown as replaced
const MOST_EDITS = 1_000;
const LONGEST_LINE = 2_000; // in which words are compared
const LEAST_ALIKE = 0.4; // of a pair of lines, for marks to help

export function diffLines(before: string, after: string): Line[] {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  const lines = editsOf(old, fresh).map(({ kind, from }) => ({
    kind,
    text: (kind === 'added' ? fresh : old)[from]!,
    marks: [],
  }));
  return marked(lines);
}

/** The shortest way from one list to the other (Myers), in order; removals come before additions. */
function editsOf(old: readonly string[], fresh: readonly string[]): Edit[] {
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let [oldEnd, freshEnd] = [old.length, fresh.length];
  while (oldEnd > start && freshEnd > start && old[oldEnd - 1] === fresh[freshEnd - 1]) {
    oldEnd -= 1;
    freshEnd -= 1;
  }
  const middle =
    shortest(old.slice(start, oldEnd), fresh.slice(start, freshEnd)) ??
    replaced(oldEnd - start, freshEnd - start);
  return [
    ...range(0, start, 'same'),
    ...middle.map(({ kind, from }) => ({ kind, from: from + start })),
    ...range(oldEnd, old.length, 'same'),
  ];
}

function shortest(old: readonly string[], fresh: readonly string[]): Edit[] | null {
  const [n, m] = [old.length, fresh.length];
  const most = Math.min(n + m, MOST_EDITS, Math.floor(MOST_STEPS / (n + m + 1)));
  const reach = new Int32Array(2 * most + 3);
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(reach.slice(most - edits, most + edits + 3));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = diagonal + most + 1;
      const down = diagonal === -edits || (diagonal !== edits && reach[at - 1]! < reach[at + 1]!);
      let x = down ? reach[at + 1]! : reach[at - 1]! + 1;
      while (x < n && x - diagonal < m && old[x] === fresh[x - diagonal]) x += 1;
      reach[at] = x;
      if (x >= n && x - diagonal >= m) return walked(trace, n, m);
    }
  }
  return null;
}

function walked(trace: readonly Int32Array[], n: number, m: number): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [n, m];
  for (let step = trace.length - 1; step > 0; step -= 1) {
    const reach = trace[step]!; // of the step before; diagonal -step - 1 is at 0
    const diagonal = x - y;
    const at = diagonal + step + 1;
    const down = diagonal === -step || (diagonal !== step && reach[at - 1]! < reach[at + 1]!);
    const fromX = down ? reach[at + 1]! : reach[at - 1]!;
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
    for (; x > fromX && y > fromY; x -= 1, y -= 1) edits.push({ kind: 'same', from: x - 1 });
    edits.push(down ? { kind: 'added', from: fromY } : { kind: 'removed', from: fromX });
    [x, y] = [fromX, fromY];
  }
  return edits.reverse();
}

const replaced = (n: number, m: number): Edit[] => [...range(0, n, 'removed'), ...range(0, m, 'added')];

function range(from: number, to: number, kind: Line['kind']): Edit[] {
  return Array.from({ length: to - from }, (_, at) => ({ kind, from: from + at }));
}

/** In each hunk the removals stand before the additions; the first of each are one line that changed. */
function marked(lines: readonly Line[]): Line[] {
  const done: Line[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && lines[end]!.kind !== 'same') end += 1;
    const hunk = lines.slice(at, end);
    const removed = hunk.filter(({ kind }) => kind === 'removed');
    const added = hunk.filter(({ kind }) => kind === 'added');
    const pairs = removed.map((line, index) => pair(line, added[index]));
    done.push(...pairs.map(([one]) => one));
    done.push(...added.map((line, index) => pairs[index]?.[1] ?? line));
    if (end < lines.length) done.push(lines[end]!);
    at = end + 1;
  }
  return done;
}

function pair(removed: Line, added: Line | undefined): [Line, Line | undefined] {
  if (!added || removed.text.length + added.text.length > LONGEST_LINE) return [removed, added];
  const [old, fresh] = [wordsOf(removed.text), wordsOf(added.text)];
  const edits = editsOf(old, fresh);
  const alike = edits.filter(({ kind }) => kind === 'same').reduce((sum, { from }) => sum + old[from]!.length, 0);
  const length = Math.max(removed.text.length, added.text.length);
  if (alike < length * LEAST_ALIKE) return [removed, added];
  return [
    { ...removed, marks: marksOf(old, edits, 'removed') },
    { ...added, marks: marksOf(fresh, edits, 'added') },
  ];
}

const wordsOf = (line: string): string[] => line.match(/\w+|\s+|[^\w\s]/gu) ?? [];

function marksOf(words: readonly string[], edits: readonly Edit[], kind: Line['kind']): [number, number][] {
  const starts: number[] = [];
  let length = 0;
  for (const word of words) {
    starts.push(length);
    length += word.length;
  }
  const marks: [number, number][] = [];
  for (const edit of edits) {
    if (edit.kind !== kind) continue;
    const from = starts[edit.from]!;
    const to = from + words[edit.from]!.length;
    const last = marks.at(-1);
    if (last?.[1] === from) last[1] = to;
    else marks.push([from, to]);
  }
  return marks;
}
