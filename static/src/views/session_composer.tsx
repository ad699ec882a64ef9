// The composer of an open session: what Send means depends on what the agent does.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { Composer } from './composer.tsx';
import { AutoApproval, SessionModel } from './controls_row.tsx';
import type { Desk } from './desk.ts';
import { Watching } from './people.tsx';
import type { Shell } from './shell.ts';

const { composer } = words;
const SUBMITS = {
  idle: { label: composer.send, hint: '' },
  running: { label: composer.queue, hint: '' },
  awaiting_approval: { label: composer.instead, hint: composer.insteadHint },
  ended: { label: composer.send, hint: '' },
} as const;
const PLACEHOLDERS = {
  idle: composer.placeholder,
  running: composer.placeholderBusy,
  awaiting_approval: composer.placeholderAsking,
  ended: composer.ended,
} as const;

/** Who only looks on has nothing to write into. */
export function SessionComposer({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  return desk.drives.value ? <Writing shell={shell} desk={desk} /> : <Watching desk={desk} />;
}

function Writing({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const { open } = desk;
  const ended = useComputed(() => desk.ended.value || desk.gone.value);
  const shut = shell.myself.reason.value === 'unauthenticated';
  const phase = desk.phase.value;
  const editing = desk.editing.value;
  return (
    <Composer
      draft={desk.draft}
      placeholder={ended.value ? (desk.ended.value ? words.composer.ended : '') : PLACEHOLDERS[phase]}
      submit={SUBMITS[phase]}
      disabled={ended.value || shut}
      uploads={desk.uploads}
      attach={(files) => desk.uploads.take(files)}
      steerable={phase === 'running'}
      stop={desk.working.value ? { stopping: open.stopping.value, run: () => open.stop() } : null}
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
