// What can be done with the last turn once it is over: copy its answer, run it again, take it back.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { copy } from './copying.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';

export function AfterTurn({ desk }: { desk: Desk }): JSX.Element | null {
  const there = useComputed(() => desk.settled.value && desk.lastTurn.value !== null);
  if (!there.value) return null;
  return (
    <div class="entry assistant">
      <div class="acts">
        <button type="button" class="button small soft" onClick={() => void copy(answer(desk))}>
          <Icon name="copy" />
          {words.conversation.copyAnswer}
        </button>
        <button type="button" class="button small soft" onClick={() => desk.open.retry()}>
          {words.conversation.again}
        </button>
        <button type="button" class="button small soft" title={words.composer.editingUndoes} onClick={() => edit(desk)}>
          {words.conversation.edit}
        </button>
        <button type="button" class="button small soft" onClick={() => desk.open.undo()}>
          {words.conversation.undo}
        </button>
      </div>
    </div>
  );
}

/** The last question comes back to be written differently. */
function edit(desk: Desk): void {
  const turn = desk.lastTurn.value;
  const asked = desk.open.entries.value.find(
    (entry) => entry.kind === 'user' && entry.turn === turn && entry.undone === undefined,
  );
  if (asked?.kind !== 'user') return;
  desk.editing.value = true;
  desk.put(asked.text, asked.attachments);
}

/** All that the agent said in the last turn. */
function answer(desk: Desk): string {
  const turn = desk.lastTurn.value;
  return desk.open.entries.value
    .filter((entry) => entry.kind === 'assistant' && entry.turn === turn)
    .map((entry) => (entry.kind === 'assistant' ? entry.text : ''))
    .filter(Boolean)
    .join('\n\n');
}
