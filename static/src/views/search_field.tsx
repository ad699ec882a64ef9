// The field that searches the list: as one types, with a way down into what was found.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { drives } from '../store/rights.ts';
import type { Session } from '../wire.ts';
import { needsPerson } from '../store/entries.ts';
import { words } from '../words/en.ts';
import { go, sessionHref } from './route.ts';
import type { Shell } from './shell.ts';

const SEARCH_MS = 150;

export function SearchField({ shell }: { shell: Shell }): JSX.Element {
  const { text, search, openFirst } = useSearch(shell);
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      search('');
    }
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      document.querySelector<HTMLElement>('.session > a')?.focus();
    }
    if (event.key === 'Enter' && !event.isComposing) void openFirst();
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
        onKeyDown={pressed}
      />
    </search>
  );
}

function useSearch(shell: Shell) {
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
  return { text, search, openFirst };
}

/** For this person: who only looks on has nothing to decide. */
export const isWaiting = (session: Session): boolean => needsPerson(session) && drives(session);

/** Those that wait for somebody stand above all others. */
const firstFound = (all: readonly Session[]): Session | undefined => all.find(isWaiting) ?? all[0];
