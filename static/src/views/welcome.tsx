// The first ten seconds: what this is, and what to type.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Composer } from './composer.tsx';
import { ModelPicker } from './controls_row.tsx';
import { Icon } from './icons.tsx';
import { go, sessionHref } from './route.ts';
import { isNewcomer, keptText, NEW, type Shell } from './shell.ts';
import { narrow } from './surroundings.ts';

const DEMO = 'demo';

/** What this is, in three sentences and a few things to try. */
export function Examples(props: {
  readonly shell: Shell;
  readonly model: string;
  readonly say: (text: string) => void;
  readonly busy?: boolean;
  /** It is what the page is about: nothing above it has a heading. */
  readonly top?: boolean;
}): JSX.Element {
  const { shell, model } = props;
  const Heading = props.top ? 'h1' : 'h2';
  const demo = (model || shell.myself.models.value?.default) === DEMO;
  return (
    <div class="welcome">
      <img class="mark" src="/static/icon.svg" alt="" />
      <Heading class="claim">{words.welcome.heading}</Heading>
      <p>{words.welcome.explanation}</p>
      <p class="label">{words.welcome.tryIt}</p>
      <div class="examples">
        {(demo ? words.welcome.demo : words.welcome.real).map(({ text, about }) => (
          <button type="button" key={text} class="button" disabled={props.busy ?? false} onClick={() => props.say(text)}>
            {text}
            <span class="under">{about}</span>
          </button>
        ))}
      </div>
      {demo && <p class="demo-note">{words.welcome.demoNote}</p>}
    </div>
  );
}

export function Welcome({ shell }: { shell: Shell }): JSX.Element {
  const busy = useSignal(false);
  const model = useSignal('');
  const kept = useMemo(() => keptText(shell.drafts, NEW), []);
  useEffect(() => kept.stop, []);
  const chosen = useComputed(() => model.value || shell.myself.models.value?.default || '');
  const shut = useComputed(() => shell.myself.reason.value === 'unauthenticated');
  const usable = useComputed(() => shell.myself.models.value?.models.some(({ available }) => available) ?? true);

  /** The words wait in the new session's outbox, so that nothing can come between. */
  const begin = async (text: string, files: readonly File[] = []): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    const made = await shell.sessions.create(model.value ? { model: model.value } : {});
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

  return (
    <main class="page">
      {narrow.value && !isNewcomer(shell) && (
        <header class="top">
          <a class="button icon" href="#/" aria-label={words.sessions.list}>
            <Icon name="back" />
          </a>
          <strong>{words.sessions.fresh}</strong>
        </header>
      )}
      <div class="conversation">
        <div class="scroller">
          <div class="column">
            <Examples top shell={shell} model={chosen.value} busy={busy.value || shut.value} say={(text) => void begin(text)} />
          </div>
        </div>
      </div>
      <div class="dock">
        {!usable.value && <p class="bar warn">{words.welcome.noModel}</p>}
        {shut.value && <NoLogIn />}
        <Composer
          draft={kept.text}
          placeholder={words.welcome.placeholder}
          send={{ label: busy.value ? words.welcome.starting : words.composer.send, hint: '' }}
          disabled={busy.value || shut.value}
          keeps
          say={(text) => void begin(text)}
          attach={(files) => void begin('', files)}
        >
          <ModelPicker
            offers={shell.myself.models}
            current={chosen.value}
            choose={(id) => {
              model.value = id;
            }}
          />
        </Composer>
        <div class="status" />
      </div>
    </main>
  );
}

/** The operator may have let them in meanwhile: only a new page asks again who they are. */
function NoLogIn(): JSX.Element {
  return (
    <div class="bar warn" role="alert">
      <p>{words.gone.noLogIn}</p>
      <button type="button" class="button outlined" onClick={() => location.reload()}>
        {words.retry}
      </button>
    </div>
  );
}
