// One session in the list: what it is called, what it does now or how it failed, and what one can do with it.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Session } from '../wire.ts';
import { drives, mayDelete, owns } from '../store/rights.ts';
import { words } from '../words/en.ts';
import { Badge, shownState } from './badge.tsx';
import { Choice, Menu } from './menu.tsx';
import { go, route, sessionHref } from './route.ts';
import type { Shell } from './shell.ts';
import { lately } from './surroundings.ts';
import { TitleForm } from './title_form.tsx';

const { ago, moment } = words.amounts;

export function SessionRow({ shell, session }: { shell: Shell; session: Session }): JSX.Element {
  const renaming = useSignal(false);
  const { id, active_at: at } = session;
  const title = session.title || words.sessions.untitled;
  const here = route.value;
  const current = here.view === 'session' && here.id === id;
  const state = shownState(session);
  const renamed = (text: string | null): void => {
    renaming.value = false;
    if (text !== null) void shell.sessions.rename(id, text);
  };
  if (renaming.value) {
    return (
      <li class="session">
        <TitleForm title={session.title} done={renamed} />
      </li>
    );
  }
  return (
    <li class={`session is-${state}${current ? ' current' : ''}`}>
      <a href={sessionHref(id)} aria-current={current ? 'page' : undefined}>
        <span class="session-title ellipsis">{title}</span>
        <time dateTime={at} title={moment(at)}>
          {ago(at, lately.value)}
        </time>
        <Owner session={session} />
        {state !== 'idle' && <Badge state={state}>{words.state[state]}</Badge>}
      </a>
      <Actions
        title={title}
        session={session}
        rename={() => (renaming.value = true)}
        remove={() => {
          shell.sessions.remove(id);
          if (current) go('#/');
        }}
      />
    </li>
  );
}

function Owner({ session }: { session: Session }): JSX.Element | null {
  return owns(session) ? null : <span class="under ellipsis">{words.sharing.by(session.owner)}</span>;
}

function Actions(props: {
  readonly title: string;
  readonly session: Session;
  readonly rename: () => void;
  readonly remove: () => void;
}): JSX.Element | null {
  const [renames, removes] = [drives(props.session), mayDelete(props.session)];
  if (!renames && !removes) return null;
  return (
    <Menu label={words.sessions.more(props.title)}>
      {(close) => (
        <>
          {renames && <Choice close={close} label={words.sessions.rename} run={props.rename} />}
          {removes && <Choice bad close={close} label={words.sessions.remove} run={props.remove} />}
        </>
      )}
    </Menu>
  );
}
