// What changed between two texts, line by line and within the lines.

import { useMemo } from 'preact/hooks';
import { words } from '../words/en.ts';
import { diffLines, type Line } from './diff.ts';
import { spelledOut } from './hidden.ts';

const AROUND = 3; // unchanged lines that are shown before and after a change
const MOST_LINES = 2_000;
const SIGN = { same: ' ', removed: '−', added: '+' } as const;

type Row = Line | { readonly kind: 'hidden'; readonly lines: number };

export function Diff(props: {
  readonly before: string;
  readonly after: string;
  readonly label?: string;
}) {
  const { before, after, label = words.text.changes } = props;
  const rows = useMemo(() => folded(diffLines(spelledOut(before), spelledOut(after))), [before, after]);
  if (before === after) return <p class="diff-none">{words.text.noChanges}</p>;
  return (
    <div class="text diff" tabIndex={0} role="group" aria-label={label}>
      {rows.map((row) =>
        row.kind === 'hidden' ? <div class="diff-hidden">{words.text.same(row.lines)}</div> : <DiffLine line={row} />,
      )}
    </div>
  );
}

function DiffLine({ line }: { readonly line: Line }) {
  return (
    <div class={line.kind}>
      <span class="sign" aria-hidden="true">
        {SIGN[line.kind]}
      </span>
      {line.kind !== 'same' && <span class="unseen">{words.text[line.kind]}</span>}
      <span class="line">{parts(line)}</span>
    </div>
  );
}

function parts({ text, marks }: Line) {
  let at = 0;
  const shown = marks.flatMap(([from, to]) => {
    const before = text.slice(at, from);
    at = to;
    return [before, <mark>{text.slice(from, to)}</mark>];
  });
  return [...shown, text.slice(at)];
}

/** Only what is near a change, and no more than a page can hold. */
function folded(lines: readonly Line[]): Row[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, at) => {
    if (line.kind !== 'same') near.fill(1, Math.max(0, at - AROUND), at + AROUND + 1);
  });
  const rows: Row[] = [];
  for (let at = 0, shown = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && (near[end] === 0 || shown >= MOST_LINES)) end += 1;
    if (end - at > 1) rows.push({ kind: 'hidden', lines: end - at });
    else if (end > at) rows.push(lines[at]!);
    if (end < lines.length) rows.push(lines[end]!);
    shown += 1;
    at = end + 1;
  }
  return rows;
}
