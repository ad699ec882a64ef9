// All sessions of this person: searched, renamed, deleted with a way back, and what each of them does now.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Session } from '../wire.ts';
import { ago, moment } from '../words/amounts.ts';
import { words } from '../words/en.ts';
import { TitleForm } from './header.tsx';
import { Icon } from './icons.tsx';
import { Item, Menu } from './overlays.tsx';
import { go, route, sessionHref } from './route.ts';
import type { Shell } from './shell.ts';
import { lately, setTheme, theme, type Theme } from './surroundings.ts';

const SEARCH_MS = 150;

export function Sidebar({ shell }: { shell: Shell }): JSX.Element {
  return (
    <nav class="side" aria-label={words.sessions.heading}>
      <header>
        <a class="brand" href="#/">
          <img src="/static/icon.svg" alt="" />
          {words.name}
        </a>
        <a class="button outlined" href="#/new" title={`${words.sessions.fresh} (Alt+N)`}>
          <Icon name="plus" />
          {words.sessions.begin}
        </a>
      </header>
      <Search shell={shell} />
      <List shell={shell} />
      <Footer shell={shell} />
    </nav>
  );
}

function Search({ shell }: { shell: Shell }): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const text = useSignal(shell.sessions.query.peek());
  const search = (value: string): void => {
    text.value = value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void shell.sessions.search(value.trim()), SEARCH_MS);
  };
  /** The first of what was found for these very words, not of the list from before. */
  const openFirst = async (): Promise<void> => {
    clearTimeout(timer.current);
    const query = text.peek().trim();
    const found = await shell.sessions.search(query);
    if (!found || text.peek().trim() !== query) return;
    const first = firstFound(shell.sessions.list.peek());
    if (first !== undefined) go(sessionHref(first.id));
  };
  return (
    <search class="side-acts">
      <input
        id="search"
        class="field"
        type="search"
        aria-label={words.search.label}
        placeholder={words.search.placeholder}
        aria-keyshortcuts="Control+K"
        value={text.value}
        onInput={(event) => search(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            search('');
          }
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            document.querySelector<HTMLElement>('.session > a')?.focus();
          }
          if (event.key === 'Enter' && !event.isComposing) void openFirst();
        }}
      />
    </search>
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
          <Row key={session.id} shell={shell} session={session} />
        ))}
      </ul>
      {waiting.length > 0 && others.length > 0 && <h2>{words.sessions.heading}</h2>}
      <ul>
        {others.map((session) => (
          <Row key={session.id} shell={shell} session={session} />
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

function Row({ shell, session }: { shell: Shell; session: Session }): JSX.Element {
  const renaming = useSignal(false);
  const { id, active_at: at } = session;
  const title = session.title || words.sessions.untitled;
  const here = route.value;
  const current = here.view === 'session' && here.id === id;
  const failed = current && (shell.desks.current.value?.failed.value ?? false);
  const state = failed ? 'error' : session.state;
  if (renaming.value) {
    return (
      <li class="session">
        <TitleForm
          title={session.title}
          done={(text) => {
            renaming.value = false;
            if (text !== null) void shell.sessions.rename(id, text);
          }}
        />
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
        {state !== 'idle' && (
          <span class={`badge is-${state}`}>
            <span class="dot" />
            {words.state[state]}
          </span>
        )}
      </a>
      <Menu label={words.sessions.more(title)}>
        {(close) => (
          <>
            <Item
              onClick={() => {
                close();
                renaming.value = true;
              }}
            >
              {words.sessions.rename}
            </Item>
            <Item
              bad
              onClick={() => {
                close();
                shell.sessions.remove(id);
                if (current) go('#/');
              }}
            >
              {words.sessions.remove}
            </Item>
          </>
        )}
      </Menu>
    </li>
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
      </span>
    </footer>
  );
}

const isWaiting = ({ state }: Session): boolean => state === 'awaiting_approval';

/** Those that wait for somebody stand above all others. */
const firstFound = (all: readonly Session[]): Session | undefined => all.find(isWaiting) ?? all[0];

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
