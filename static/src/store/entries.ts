// What the page asks of a session's state and entries. Pure.

import type { QuestionAsked, Session, Status, TurnEnded } from '../wire.ts';
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

/** What servers of tools ask and nobody has answered; a call that is over asks nothing more. */
export function inquiring(entries: readonly Entry[]): readonly QuestionAsked[] {
  return entries.flatMap((entry) =>
    entry.kind === 'tool' && entry.output === undefined && entry.questions !== undefined
      ? entry.questions.filter(({ answer }) => answer === undefined).map(({ asked }) => asked)
      : [],
  );
}

/** It waits for a person: for an approval, or for an answer to a server of tools while it runs. */
export const needsPerson = (session: Pick<Session, 'state' | 'pending_questions'>): boolean =>
  session.state === 'awaiting_approval' || (session.pending_questions ?? 0) > 0;

/** The last turn failed, and nothing was tried since. */
export function failed(entries: readonly Entry[]): boolean {
  const last = entries.findLast((entry) => entry.turn !== undefined);
  const ended = last?.kind === 'note' && last.undone === undefined ? last.event : null;
  return ended?.type === 'turn_ended' && ended.status === 'failed';
}

/** How the turn ended that ended last. */
export function lastEnd({ events }: Pick<SessionState, 'events'>): TurnEnded | null {
  const event = events.findLast(({ type }) => type === 'turn_ended');
  return event?.type === 'turn_ended' ? event : null;
}

/** The last turn that counts: the one that undo would take back. */
export function lastTurn(entries: readonly Entry[]): string | null {
  return entries.findLast((e) => e.kind !== 'job' && e.turn !== undefined && e.undone === undefined)?.turn ?? null;
}
