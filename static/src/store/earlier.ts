// Older pages of the log, put before what is there: the result is what one replay would have given.

import type { DurableEvent } from '../wire.ts';
import { Draft } from './draft.ts';
import { fold } from './events.ts';
import { type SessionState, empty } from './state.ts';

/** `page` ends right before `state.oldest`; one that does not changes nothing. */
export function earlier(state: SessionState, page: readonly DurableEvent[]): SessionState {
  const first = page[0];
  if (first === undefined || page.at(-1)?.seq !== state.oldest - 1) return state;
  const events = [...page, ...state.events];
  const draft = new Draft({ ...empty, session: state.session, counted: state.counted });
  for (const event of events) fold(draft, event);
  const whole = draft.done();
  const open = state.entries.filter((entry) => entry.kind === 'assistant' && entry.open);
  const { input, output, cost } = state.used;
  return {
    ...state,
    ...{ oldest: first.seq, events, entries: [...whole.entries, ...open] },
    ...{ origin: whole.origin, plan: whole.plan, plans: whole.plans },
    ...{ turn: whole.turn, ended: whole.ended, queued: queue(state, whole) },
    ...{ autoApproval: whole.autoApproval, lastUndo: whole.lastUndo },
    used: { input, output, cost, cached: whole.used.cached },
  };
}

/** The server's word on what waits; the log knows whose it is, and what goes with it. */
function queue(state: SessionState, whole: SessionState): SessionState['queued'] {
  if (state.status === null) return whole.queued;
  const known = new Map(whole.queued.map((input) => [input.submission, input]));
  return state.queued.map((input) => known.get(input.submission) ?? input);
}
