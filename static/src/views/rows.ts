// Entries as rows of the page: undone turns folded together, and how much of it all is mounted. Pure.

import type { Entry } from '../store/state.ts';

export interface Folded {
  readonly kind: 'folded';
  readonly key: string;
  readonly turns: number;
  readonly entries: readonly Entry[];
  /** What the last of them asked for. */
  readonly asked: string;
}

export type Row = Entry | Folded;

export function rowsOf(entries: readonly Entry[]): readonly Row[] {
  const rows: Row[] = [];
  let from = 0;
  for (let at = 0; at <= entries.length; at += 1) {
    const entry = entries[at];
    if (entry?.undone !== undefined) continue;
    if (at > from) rows.push(folded(entries.slice(from, at)));
    if (entry) rows.push(entry);
    from = at + 1;
  }
  return rows;
}

function folded(entries: readonly Entry[]): Folded {
  const turns = new Set(entries.map((entry) => entry.turn ?? entry.key)).size;
  const asked = entries.findLast((entry) => entry.kind === 'user' && !entry.steered);
  return {
    kind: 'folded',
    // By its last: older ones may come to stand before them.
    key: `f:${entries.at(-1)!.key}`,
    turns,
    entries,
    asked: asked?.kind === 'user' ? asked.text : '',
  };
}

export const FIRST = 60;
export const MORE = 60;
const MOST_AT_END = 180;
const ROW_PX = 40; // a call that is folded; most rows are higher

/** How many rows fill a window: they are drawn before all others. */
export const inSight = (height: number): number => Math.min(FIRST, Math.ceil(height / ROW_PX));

/** Where the mounted rows begin. `anchor` is the key of the first one now; without it the last `newest` are. */
export function windowStart(
  rows: readonly Row[],
  anchor: string | null,
  atEnd: boolean,
  newest = FIRST,
): number {
  const at = anchor === null ? -1 : rows.findIndex((row) => row.key === anchor);
  if (at < 0) return Math.max(0, rows.length - newest);
  return atEnd && rows.length - at > MOST_AT_END ? rows.length - FIRST : at;
}

/** Where they begin with `more` of those that are out of sight; null where enough are mounted. */
export function grown(rows: readonly Row[], start: number, more: number): number | null {
  const least = Math.max(0, rows.length - FIRST);
  return start > least ? Math.max(least, start - more) : null;
}
