// The top of a session: its name, its state, and the rarer things one can do with it.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { Badge } from './badge.tsx';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { People } from './people.tsx';
import { SessionMenu } from './session_menu.tsx';
import type { Shell } from './shell.ts';
import { narrow, remember, wide } from './surroundings.ts';
import { TitleForm } from './title_form.tsx';

export function Header({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const renaming = useSignal(false);
  const title = useComputed(() => {
    return shell.sessions.known(desk.open.id)?.title || desk.session.value?.title || '';
  });
  const asks = desk.inquired.value.length > 0;
  const state = desk.failed.value ? 'error' : asks ? 'awaiting_approval' : desk.phase.value;
  const rename = (): void => {
    renaming.value = true;
  };
  return (
    <header class="top">
      {narrow.value && (
        <a class="button icon" href="#/" aria-label={words.sessions.list}>
          <Icon name="back" />
        </a>
      )}
      {renaming.value ? (
        <TitleForm
          title={title.value}
          done={(text) => {
            renaming.value = false;
            if (text !== null && text !== title.value) void shell.sessions.rename(desk.open.id, text);
          }}
        />
      ) : (
        <h1>
          <Title text={title.value || words.sessions.untitled} rename={desk.drives.value && !desk.lost.value ? rename : null} />
        </h1>
      )}
      <Badge state={state}>
        {desk.synced.value || desk.session.value || desk.gone.value ? words.state[state] : words.state.opening}
      </Badge>
      <People desk={desk} />
      {wide.value && <DetailsButton desk={desk} />}
      {!desk.lost.value && <SessionMenu shell={shell} desk={desk} rename={rename} />}
    </header>
  );
}

function Title({ text, rename }: { text: string; rename: (() => void) | null }): JSX.Element {
  if (!rename) return <span class="button">{text}</span>;
  return (
    <button type="button" class="button" title={words.header.titleHint} onClick={rename}>
      {text}
    </button>
  );
}

function DetailsButton({ desk }: { desk: Desk }): JSX.Element {
  return (
    <button
      type="button"
      class="button icon"
      aria-label={words.header.details}
      title={words.header.details}
      aria-expanded={desk.detailed.value}
      onClick={() => {
        desk.detailed.value = !desk.detailed.value;
        remember('details', desk.detailed.value ? 'yes' : 'no');
      }}
    >
      <Icon name="panel" />
    </button>
  );
}
