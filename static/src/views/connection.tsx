// The transport, which is not the agent: silent below 3 s, a chip below 10 s, then a banner; and final ends.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { isRuling, wordsOf } from '../link/outbox.ts';
import { remedy } from '../words/remedies.ts';
import { copy } from './copying.ts';
import type { Desk } from './desk.ts';
import { LogIn } from './log_in.tsx';
import { go } from './route.ts';
import type { Shell } from './shell.ts';
import { now } from './surroundings.ts';
import { secondsLeft, type Trouble, troubleOf } from './trouble.ts';
import { announce } from './voice.tsx';

export function Connection({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element | null {
  const link = desk.open.link;
  const trouble = useComputed(() => troubleOf(link.value, now.value));
  useSaid(trouble.value);
  switch (trouble.value) {
    case 'none':
      return null;
    case 'chip':
      return <p class="bar connection short">{words.connection.reconnecting}</p>;
    case 'banner':
      return <Banner desk={desk} />;
    case 'gone':
      return <Gone shell={shell} desk={desk} />;
  }
}

function Banner({ desk }: { desk: Desk }): JSX.Element {
  const link = desk.open.link.value;
  const { phase, offline, reason } = link;
  const waiting = desk.open.outbox.value.filter(({ state }) => state === 'offline');
  const messages = waiting.filter((item) => wordsOf(item) !== undefined).length;
  const decisions = waiting.filter(({ frame }) => isRuling(frame)).length;
  const said = [
    offline ? words.connection.offline : words.connection.lost,
    reason === 'too_many_connections' ? remedy(reason) : '',
    messages + decisions ? words.connection.later(messages, decisions) : '',
    phase === 'waiting' ? words.connection.nextTry(secondsLeft(link, now.value)) : words.connection.trying,
  ];
  return (
    <div class="bar warn connection">
      <p>{said.filter(Boolean).join(' ')}</p>
      <button type="button" class="button outlined" disabled={phase !== 'waiting'} onClick={() => desk.open.dialNow()}>
        {words.connection.now}
      </button>
    </div>
  );
}

/** What waits for the connection and is seen nowhere else: messages and decisions say so where they stand. */
export function Pending({ desk }: { desk: Desk }): JSX.Element | null {
  const waiting = useComputed(() => {
    const others = desk.open.outbox.value.filter(
      (item) => item.state === 'offline' && wordsOf(item) === undefined && !isRuling(item.frame),
    );
    return [...new Set(others.map(({ frame }) => words.connection.asked[frame.type] ?? frame.type))].join(', ');
  });
  if (!waiting.value) return null;
  return <p class="bar connection short">{words.connection.pending(waiting.value)}</p>;
}

/** It will not come back by itself: what is so, and the way out. */
function Gone({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const { reason } = desk.open.link.value;
  const draft = desk.draft.value.trim();
  const keep = draft && (
    <button type="button" class="button outlined" onClick={() => void copy(draft)}>
      {words.gone.copyDraft}
    </button>
  );
  const fresh = (
    <button type="button" class="button primary" onClick={() => go('#/new')}>
      {words.gone.fresh}
    </button>
  );
  const again = (
    <button type="button" class="button primary" onClick={() => desk.open.dialNow()}>
      {words.retry}
    </button>
  );
  const expired: readonly [string, JSX.Element] = shell.myself.login.value
    ? [`${words.gone.expired} ${words.account.logInFirst}`, <LogIn shell={shell} />]
    : [`${words.gone.expired} ${words.gone.expiredHint}`, again];
  const told: Readonly<Record<string, readonly [string, JSX.Element]>> = {
    no_such_session: [words.gone.deleted, fresh],
    ended: [words.gone.ended, fresh],
    unauthenticated: expired,
    unauthorized: expired,
    forbidden: [words.gone.forbidden, fresh],
  };
  const [text, act] = told[reason ?? ''] ?? [words.connection.lost, again];
  return (
    <div class={reason === 'ended' ? 'bar connection' : 'bar bad connection'} role="alert">
      <p>{text}</p>
      {keep}
      {act}
    </div>
  );
}

/** Spoken once when it is worth a word, and when it is over. */
function useSaid(trouble: Trouble): void {
  const told = useRef(false);
  useEffect(() => {
    const worth = trouble === 'chip' || trouble === 'banner';
    if (worth && !told.current) announce(words.announce.reconnecting);
    if (trouble === 'none' && told.current) announce(words.announce.back);
    told.current = worth;
  }, [trouble]);
}
