// The top of a session: its name, its state, and the rarer things one can do with it.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { exportHref } from '../session/files.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { askToNotify, notifying } from './notify.ts';
import { Item, Menu } from './overlays.tsx';
import { go } from './route.ts';
import type { Shell } from './shell.ts';
import { narrow, remember, wide } from './surroundings.ts';

export function Header({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const renaming = useSignal(false);
  const title = useComputed(() => {
    return shell.sessions.known(desk.open.id)?.title || desk.session.value?.title || '';
  });
  const state = desk.failed.value ? 'error' : desk.phase.value;
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
          <button type="button" class="button" title={words.header.titleHint} onClick={rename}>
            {title.value || words.sessions.untitled}
          </button>
        </h1>
      )}
      <span class={`badge is-${state}`}>
        <span class="dot" />
        {desk.synced.value || desk.session.value || desk.gone.value ? words.state[state] : words.state.opening}
      </span>
      {wide.value && <DetailsButton desk={desk} />}
      <More shell={shell} desk={desk} rename={rename} />
    </header>
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

function More({ shell, desk, rename }: { shell: Shell; desk: Desk; rename: () => void }): JSX.Element {
  const { open } = desk;
  return (
    <Menu label={words.header.more}>
      {(close) => {
        const item = (label: string, run: () => void, options: { bad?: boolean; disabled?: boolean; title?: string } = {}) => (
          <Item
            {...options}
            onClick={() => {
              close();
              run();
            }}
          >
            {label}
          </Item>
        );
        const idle = !desk.working.value && !desk.ended.value;
        const any = desk.lastTurn.value !== null;
        const file = (label: string, format: 'md' | 'jsonl') => (
          <a role="menuitem" class="button" href={exportHref(open.id, format)} download onClick={close}>
            {label}
          </a>
        );
        return (
          <>
            {item(words.header.rename, rename)}
            {item(words.header.files, () => {
              shell.overlay.value = 'files';
            })}
            {notifying.value !== 'on' && item(words.header.notify, askToNotify)}
            <hr />
            {item(words.header.undo, () => open.undo(), { disabled: !idle || !any, title: words.conversation.undoHint })}
            {item(words.header.retry, () => open.retry(), { disabled: !idle || !any, title: words.conversation.againHint })}
            {item(words.header.compact, () => open.compact(), { disabled: !idle || !any })}
            <hr />
            {file(words.header.exportMarkdown, 'md')}
            {file(words.header.exportLines, 'jsonl')}
            <hr />
            {item(
              words.header.remove,
              () => {
                shell.sessions.remove(open.id);
                go('#/');
              },
              { bad: true },
            )}
          </>
        );
      }}
    </Menu>
  );
}

/** `done` gets the new title, or null when it stays. */
export function TitleForm({ title, done }: { title: string; done: (text: string | null) => void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const over = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (text: string | null): void => {
    if (over.current) return;
    over.current = true;
    done(text?.trim() ? text.trim() : null);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        end(field.current?.value ?? null);
      }}
    >
      <input
        ref={field}
        class="field"
        maxLength={200}
        aria-label={words.sessions.title}
        defaultValue={title}
        onBlur={(event) => end(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          end(null);
        }}
      />
    </form>
  );
}
