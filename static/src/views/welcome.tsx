// The page before there is a session: what this is, and the first words.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Account } from './account.tsx';
import { Composer } from './composer.tsx';
import { ModelPicker } from './controls_row.tsx';
import { dropping, useDrops } from './drops.ts';
import { Examples } from './examples.tsx';
import { Icon } from './icons.tsx';
import { NotLoggedIn } from './log_in.tsx';
import { go, sessionHref } from './route.ts';
import { isNewcomer, keptText, NEW, type Shell } from './shell.ts';
import { narrow } from './surroundings.ts';

export function Welcome({ shell }: { shell: Shell }): JSX.Element {
  const { draft, model, busy, begin } = useBeginning(shell);
  const shut = useComputed(() => shell.myself.reason.value === 'unauthenticated');
  const usable = useComputed(() => shell.myself.models.value?.models.some(({ available }) => available) ?? true);
  const still = busy.value || shut.value;
  const attach = (files: readonly File[]): void => void begin('', files);
  useDrops(still ? null : attach);
  return (
    <main class={dropping.value ? 'page dropping' : 'page'} data-drop={words.composer.drop}>
      {narrow.value && <Top shell={shell} />}
      <div class="conversation">
        {/* Where nothing in it can be pressed, it is reached all the same. */}
        <div class="scroller" tabIndex={shut.value ? 0 : undefined}>
          <div class="column">
            <Examples top shell={shell} model={model.value} busy={still} say={(text) => void begin(text)} />
          </div>
        </div>
      </div>
      <div class="dock">
        {!usable.value && <p class="bar warn">{words.welcome.noModel}</p>}
        {shut.value && <NotLoggedIn shell={shell} />}
        <Composer
          draft={draft}
          placeholder={words.welcome.placeholder}
          submit={{ label: busy.value ? words.welcome.starting : words.composer.send, hint: '' }}
          disabled={still}
          keeps
          say={(text) => void begin(text)}
          attach={attach}
        >
          <ModelPicker offers={shell.myself.models} current={model.value} choose={model.choose} />
        </Composer>
        <div class="status" />
      </div>
    </main>
  );
}

/** A session is made with its first words: they wait in its outbox, so that nothing can come between. */
function useBeginning(shell: Shell) {
  const busy = useSignal(false);
  const chosen = useSignal('');
  const kept = useMemo(() => keptText(shell.drafts, NEW), []);
  useEffect(() => kept.stop, []);
  const shown = useComputed(() => chosen.value || shell.myself.models.value?.default || '');
  const begin = async (text: string, files: readonly File[] = []): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    const made = await shell.sessions.create(chosen.value ? { model: chosen.value } : {});
    busy.value = false;
    if (made === null) return;
    const desk = shell.desks.at(made.id);
    if (text) desk.open.say(text);
    if (files.length) {
      desk.uploads.take(files);
      desk.draft.value = kept.text.value;
    }
    if (files.length || kept.text.value.trim() === text) {
      kept.text.value = '';
      shell.drafts.keep(NEW, '');
    }
    go(sessionHref(made.id));
  };
  const choose = (id: string): void => {
    chosen.value = id;
  };
  return { busy, begin, draft: kept.text, model: { value: shown.value, choose } };
}

/** On a phone the list is elsewhere, and there is none to go back to for who is new here. */
function Top({ shell }: { shell: Shell }): JSX.Element {
  if (isNewcomer(shell)) {
    return (
      <header class="top">
        <span class="grow" />
        <Account shell={shell} />
      </header>
    );
  }
  return (
    <header class="top">
      <a class="button icon" href="#/" aria-label={words.sessions.list}>
        <Icon name="back" />
      </a>
      <strong>{words.sessions.fresh}</strong>
    </header>
  );
}
