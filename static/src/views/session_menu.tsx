// The rarer things one can do with a session, behind the three dots.

import type { JSX } from 'preact';
import { exportHref } from '../session/files.ts';
import { mayDelete } from '../store/rights.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { askToNotify, notifying } from './notify.ts';
import { Choice, Menu } from './menu.tsx';
import { go } from './route.ts';
import type { Shell } from './shell.ts';

export function SessionMenu({ shell, desk, rename }: { shell: Shell; desk: Desk; rename: () => void }): JSX.Element {
  return (
    <Menu label={words.header.more}>
      {(close) => (
        <>
          {desk.drives.value && <Choice close={close} label={words.header.rename} run={rename} />}
          <Choice
            close={close}
            label={words.header.files}
            run={() => {
              shell.overlay.value = 'files';
            }}
          />
          {desk.owns.value && (
            <Choice
              close={close}
              label={words.sharing.open}
              run={() => {
                shell.overlay.value = 'sharing';
              }}
            />
          )}
          {notifying.value !== 'on' && <Choice close={close} label={words.header.notify} run={askToNotify} />}
          {desk.drives.value && <LastTurn desk={desk} close={close} />}
          <hr />
          <Export desk={desk} close={close} />
          {mayDelete(desk.session.value) && <Remove shell={shell} desk={desk} close={close} />}
        </>
      )}
    </Menu>
  );
}

function Remove({ shell, desk, close }: { shell: Shell; desk: Desk; close: () => void }): JSX.Element {
  const remove = (): void => {
    shell.sessions.remove(desk.open.id);
    go('#/');
  };
  return (
    <>
      <hr />
      <Choice bad close={close} label={words.header.remove} run={remove} />
    </>
  );
}

function LastTurn({ desk, close }: { desk: Desk; close: () => void }): JSX.Element {
  const { open } = desk;
  const disabled = !desk.settled.value || !desk.usable.value || desk.lastTurn.value === null;
  const choice = (label: string, run: () => void, title?: string) => (
    <Choice close={close} label={label} run={run} disabled={disabled} title={title} />
  );
  return (
    <>
      <hr />
      {choice(words.header.undo, () => open.undo(), words.conversation.undoHint)}
      {choice(words.header.retry, () => open.retry(), words.conversation.againHint)}
      {choice(words.header.compact, () => open.compact())}
    </>
  );
}

function Export({ desk, close }: { desk: Desk; close: () => void }): JSX.Element {
  const file = (label: string, format: 'md' | 'jsonl') => (
    <a role="menuitem" class="button" href={exportHref(desk.open.id, format)} download onClick={close}>
      {label}
    </a>
  );
  return (
    <>
      {file(words.header.exportMarkdown, 'md')}
      {file(words.header.exportLines, 'jsonl')}
    </>
  );
}
