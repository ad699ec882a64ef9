// What came before the tail that is here: pages put before it, and the few events that still tell how things stand.

import type { DurableEvent } from '../wire.ts';
import { Draft } from './draft.ts';
import { fold } from './events.ts';
import { type Entry, type SessionState, empty } from './state.ts';

/** What these say holds until another of them says otherwise, however long ago that was. */
export const STANDING = [
  ...['session_created', 'session_updated', 'plan_updated', 'turn_undone'],
  ...['job_started', 'job_ended'],
] as const;

/** `page` ends right before `state.oldest`; one that does not changes nothing. */
export function earlier(state: SessionState, page: readonly DurableEvent[]): SessionState {
  if (page.at(-1)?.seq !== state.oldest - 1) return state;
  const whole = wholeReplies(page);
  return refolded({ ...state, oldest: whole[0]!.seq, events: [...whole, ...state.events] });
}

/** `standing` are all the events of those types from before `state.oldest`. */
export function grounded(state: SessionState, standing: readonly DurableEvent[]): SessionState {
  return refolded({ ...state, standing });
}

/** Whether a page, or its end, stands for itself: outputs of calls from further back would be nobody's. */
export const standsAlone = (page: readonly DurableEvent[]): boolean => page.some(begins);

const begins = (event: DurableEvent): boolean =>
  event.seq === 1 ||
  event.type === 'assistant_message' ||
  (event.type === 'user_message' && event.steered !== true);

function wholeReplies(page: readonly DurableEvent[]): readonly DurableEvent[] {
  return page.slice(Math.max(0, page.findIndex(begins)));
}

/** What one replay would have given, as far as the events are here. */
function refolded(state: SessionState): SessionState {
  const ground = groundOf(state);
  const draft = new Draft(ground);
  for (const event of state.events) fold(draft, event);
  const whole = draft.done();
  const open = state.entries.filter((entry) => entry.kind === 'assistant' && entry.open);
  const { input, output, cost } = state.used;
  return {
    ...state,
    entries: [...whole.entries, ...open],
    ...{ origin: whole.origin, plan: whole.plan, plans: whole.plans },
    ...{ turn: whole.turn, ended: whole.ended, queued: queue(state, whole) },
    ...{ autoApproval: whole.autoApproval, lastUndo: whole.lastUndo },
    used: { input, output, cost, cached: state.oldest === 1 ? whole.used.cached : null },
  };
}

/** Before the first event that is here: what stands, and the jobs that go on. */
function groundOf({ standing, oldest, session, counted }: SessionState): SessionState {
  const draft = new Draft({ ...empty, session, counted });
  for (const event of standing ?? []) if (event.seq < oldest) fold(draft, event);
  const ground = draft.done();
  const goesOn = (entry: Entry) => entry.kind === 'job' && entry.state === 'running';
  return { ...ground, entries: ground.entries.filter(goesOn) };
}

/** The server's word on what waits; the log knows whose it is, and what goes with it. */
function queue(state: SessionState, whole: SessionState): SessionState['queued'] {
  if (state.status === null) return whole.queued;
  const known = new Map(whole.queued.map((input) => [input.submission, input]));
  return state.queued.map((input) => known.get(input.submission) ?? input);
}
