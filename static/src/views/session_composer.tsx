// The composer of an open session: what Send means depends on what the agent does.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { Composer } from './composer.tsx';
import { AutoApproval, SessionModel } from './controls_row.tsx';
import type { Desk } from './desk.ts';
import type { Shell } from './shell.ts';

export function SessionComposer({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const { open } = desk;
  const ended = useComputed(() => desk.ended.value || desk.gone.value);
  const shut = shell.myself.reason.value === 'unauthenticated';
  const phase = desk.phase.value;
  const working = desk.working.value;
  const editing = desk.editing.value;
  const send =
    phase === 'awaiting_approval'
      ? { label: words.composer.instead, hint: words.composer.insteadHint }
      : { label: phase === 'running' ? words.composer.queue : words.composer.send, hint: '' };
  const over = desk.ended.value ? words.composer.ended : '';
  const placeholder = ended.value
    ? over
    : phase === 'awaiting_approval'
      ? words.composer.placeholderAsking
      : phase === 'running'
        ? words.composer.placeholderBusy
        : words.composer.placeholder;
  return (
    <Composer
      draft={desk.draft}
      placeholder={placeholder}
      send={send}
      disabled={ended.value || shut}
      uploads={desk.uploads}
      attach={(files) => desk.uploads.take(files)}
      steerable={phase === 'running'}
      stop={working ? { stopping: open.stopping.value, run: () => open.stop() } : null}
      field={(node) => {
        desk.focus = () => node.focus();
      }}
      notice={editing && <Editing desk={desk} />}
      say={(text, delivery) => {
        const attachments = desk.uploads.taken();
        desk.toEnd();
        if (editing) open.editAndRerun(text, attachments);
        else open.say(text, { delivery, attachments });
        desk.endEdit(false);
      }}
    >
      {!ended.value && <SessionModel desk={desk} offers={shell.myself.models} />}
      {!ended.value && <AutoApproval desk={desk} />}
    </Composer>
  );
}

function Editing({ desk }: { desk: Desk }): JSX.Element {
  return (
    <div class="editing">
      <span>{words.composer.editingUndoes}</span>
      <button
        type="button"
        class="button small soft"
        onClick={() => desk.endEdit(true)}
      >
        {words.composer.cancelEdit}
      </button>
    </div>
  );
}
