// A state in a word and a colour.

import type { ComponentChildren, JSX } from 'preact';
import type { Session } from '../wire.ts';

export type ShownState = Session['state'] | 'error';

/** A session at rest whose last turn failed is not just idle. */
export const shownState = ({ state, last_turn: last }: Pick<Session, 'state' | 'last_turn'>): ShownState =>
  state === 'idle' && last?.status === 'failed' ? 'error' : state;

export function Badge(props: { state: ShownState; class?: string; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`badge is-${props.state}${props.class ? ` ${props.class}` : ''}`}>
      <span class="dot" />
      {props.children}
    </span>
  );
}
