// A state in a word and a colour.

import type { ComponentChildren, JSX } from 'preact';
import { needsPerson } from '../store/entries.ts';
import type { Session } from '../wire.ts';

export type ShownState = Session['state'] | 'error';

type Told = Pick<Session, 'state' | 'last_turn' | 'pending_questions'>;

/** A session at rest whose last turn failed is not just idle, and one that asks needs somebody while it runs. */
export const shownState = (session: Told): ShownState => {
  if (needsPerson(session)) return 'awaiting_approval';
  return session.state === 'idle' && session.last_turn?.status === 'failed' ? 'error' : session.state;
};

export function Badge(props: { state: ShownState; class?: string; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`badge is-${props.state}${props.class ? ` ${props.class}` : ''}`}>
      <span class="dot" />
      {props.children}
    </span>
  );
}
