// What the page asks of a session's state and entries. Pure.

import type { Status } from '../wire.ts';
import type { Entry, SessionState, ToolEntry } from './state.ts';

/** What the session does, as far as we know. */
export function phase(state: SessionState): Status['state'] {
  return state.status?.state ?? state.session?.state ?? 'idle';
}

export const working = (state: SessionState): boolean =>
  phase(state) === 'running' || phase(state) === 'awaiting_approval';

/** The cards that ask, oldest first. They are among the last: an open question stops a turn. */
export function asking(entries: readonly Entry[]): readonly ToolEntry[] {
  return entries.filter((entry) => entry.kind === 'tool' && entry.state === 'asks') as ToolEntry[];
}

/** The last turn that counts: the one that undo would take back. */
export function lastTurn(entries: readonly Entry[]): string | null {
  return entries.findLast((e) => e.kind !== 'job' && e.turn !== undefined && e.undone === undefined)?.turn ?? null;
}
