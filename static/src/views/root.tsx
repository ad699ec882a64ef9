// The page: the list on the left, what the address names on the right, and what opens over both.

import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { watchDrops } from './drops.ts';
import { Join } from './join.tsx';
import { FilesDialog, FleetTable, SettingsDialog, SharingDialog, ShortcutSheet } from './rare.tsx';
import { route } from './route.ts';
import { SessionPage } from './session_page.tsx';
import { isNewcomer, type Shell } from './shell.ts';
import { pressed } from './shortcuts.ts';
import { Sidebar } from './sidebar.tsx';
import { narrow, wide } from './surroundings.ts';
import { Announcer, toast, Toasts } from './voice.tsx';
import { Welcome } from './welcome.tsx';

export function Root({ shell }: { shell: Shell }): JSX.Element {
  const here = route.value;
  const desk = shell.desks.current.value;
  useLayoutEffect(() => {
    const key = (event: KeyboardEvent): void => pressed(event, shell);
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, [shell]);
  useLayoutEffect(watchDrops, []);
  useLayoutEffect(() => {
    if (here.view === 'session') shell.desks.at(here.id);
    else shell.desks.leave();
  }, [here]);
  useRemovals(shell);
  const first = here.view === 'list' && narrow.value && isNewcomer(shell);
  // On a phone the list is all there is.
  const alone = here.view === 'list' && narrow.value && !first;
  const detailed = here.view === 'session' && wide.value && (desk?.detailed.value ?? false);
  return (
    <div class="app" data-view={first ? 'new' : here.view}>
      {alone ? (
        <main class="alone">
          <h1 class="unseen">{words.sessions.heading}</h1>
          <Sidebar shell={shell} />
        </main>
      ) : (
        <>
          <Sidebar shell={shell} />
          <div class={detailed ? 'stage detailed' : 'stage'}>
            <Stage shell={shell} />
          </div>
        </>
      )}
      <Overlays shell={shell} />
      <Toasts />
      <Announcer />
    </div>
  );
}

function Stage({ shell }: { shell: Shell }): JSX.Element | null {
  const here = route.value;
  const desk = shell.desks.current.value;
  switch (here.view) {
    case 'session':
      return desk?.open.id === here.id ? <SessionPage key={here.id} shell={shell} desk={desk} /> : null;
    case 'join':
      return <Join key={here.secret} shell={shell} secret={here.secret} />;
    case 'dashboard':
      return <FleetTable shell={shell} />;
    default:
      return <Welcome key={here.view} shell={shell} />;
  }
}

function Overlays({ shell }: { shell: Shell }): JSX.Element | null {
  const desk = shell.desks.current.value;
  const close = (): void => {
    shell.overlay.value = 'none';
  };
  switch (shell.overlay.value) {
    case 'shortcuts':
      return <ShortcutSheet close={close} />;
    case 'files':
      return desk && <FilesDialog shell={shell} desk={desk} close={close} />;
    case 'sharing':
      return desk && <SharingDialog shell={shell} desk={desk} close={close} />;
    case 'settings':
      return <SettingsDialog shell={shell} close={close} />;
    case 'none':
      return null;
  }
}

/** Deleting has a few seconds in which it can be taken back. */
function useRemovals({ sessions }: Shell): void {
  const told = useRef<ReadonlyMap<string, () => void>>(new Map());
  const removing = sessions.removing.value;
  useEffect(() => {
    const now = new Map<string, () => void>();
    for (const { session, at } of removing) {
      const undo = { label: words.undo, run: () => sessions.restore(session.id) };
      const text = words.sessions.removed(session.title || words.sessions.untitled);
      const shown = told.current.get(session.id);
      now.set(session.id, shown ?? toast(text, undo, { bad: false, ms: at - Date.now() }));
    }
    for (const [id, dismiss] of told.current) if (!now.has(id)) dismiss();
    told.current = now;
  }, [removing]);
}
