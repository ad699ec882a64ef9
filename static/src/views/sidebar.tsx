// All sessions of this person: searched, renamed, deleted with a way back, and what each of them does now.

import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { Account } from './account.tsx';
import { Icon } from './icons.tsx';
import { Mark } from './mark.tsx';
import { isWaiting, SearchField } from './search_field.tsx';
import { SessionRow } from './session_row.tsx';
import type { Shell } from './shell.ts';
import { setTheme, theme, type Theme } from './surroundings.ts';

export function Sidebar({ shell }: { shell: Shell }): JSX.Element {
  return (
    <nav class="side" aria-label={words.sessions.heading}>
      <header>
        <a class="brand" href="#/">
          <Mark />
          {words.name}
        </a>
        <a class="button outlined" href="#/new" title={`${words.sessions.fresh} (Alt+N)`}>
          <Icon name="plus" />
          {words.sessions.begin}
        </a>
      </header>
      <SearchField shell={shell} />
      <List shell={shell} />
      <Footer shell={shell} />
    </nav>
  );
}

function List({ shell }: { shell: Shell }): JSX.Element {
  const { sessions, myself } = shell;
  const all = sessions.list.value;
  const query = sessions.query.value;
  const waiting = all.filter(isWaiting);
  const others = all.filter((session) => !isWaiting(session));
  const empty =
    myself.reason.value === 'unauthenticated'
      ? words.sessions.noLogIn
      : !sessions.loaded.value
        ? sessions.link.value.phase === 'waiting'
          ? words.sessions.unreachable
          : words.sessions.loading
        : query
          ? words.search.nothing(query)
          : words.sessions.none;
  return (
    <div class="side-list" onKeyDown={walk}>
      {waiting.length > 0 && <h2>{words.sessions.waiting(waiting.length)}</h2>}
      <ul>
        {waiting.map((session) => (
          <SessionRow key={session.id} shell={shell} session={session} />
        ))}
      </ul>
      {waiting.length > 0 && others.length > 0 && <h2>{words.sessions.heading}</h2>}
      <ul>
        {others.map((session) => (
          <SessionRow key={session.id} shell={shell} session={session} />
        ))}
      </ul>
      {all.length === 0 && <p class="under">{empty}</p>}
      {sessions.more.value !== null && (
        <button type="button" class="button small soft" onClick={() => void sessions.loadMore()}>
          {words.sessions.older}
        </button>
      )}
    </div>
  );
}

function Footer({ shell }: { shell: Shell }): JSX.Element {
  const themes: readonly Theme[] = ['system', 'light', 'dark'];
  return (
    <footer>
      <a class="button small soft" href="#/dashboard">
        {words.sessions.dashboard}
      </a>
      <span class="row">
        <select
          class="picker"
          aria-label={words.themes.label}
          value={theme.value}
          onChange={(event) => setTheme(event.currentTarget.value as Theme)}
        >
          {themes.map((one) => (
            <option key={one} value={one}>
              {words.themes[one]}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="button icon small"
          aria-label={words.shortcuts.open}
          title={`${words.shortcuts.open} (?)`}
          onClick={() => {
            shell.overlay.value = 'shortcuts';
          }}
        >
          <Icon name="keyboard" />
        </button>
        <Account shell={shell} />
      </span>
    </footer>
  );
}

/** Arrows go through the list. */
function walk(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...document.querySelectorAll<HTMLElement>('.session > a')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  const to = event.key === 'ArrowDown' ? links[at + 1] : (links[at - 1] ?? document.getElementById('search'));
  to?.focus();
}
