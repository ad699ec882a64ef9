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
        <button type="button" class="button small soft" onClick={() => void answer(desk).then(copy)}>
          <Icon name="copy" />
          {words.conversation.copyAnswer}
        </button>
        {desk.usable.value && <Anew desk={desk} />}
      </div>
    </div>
  );
}

function Anew({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <button type="button" class="button small soft" title={words.conversation.againHint} onClick={() => desk.open.retry()}>
        {words.conversation.again}
      </button>
      <button type="button" class="button small soft" title={words.composer.editingUndoes} onClick={() => void desk.edit()}>
        {words.conversation.edit}
      </button>
      <button type="button" class="button small soft" title={words.conversation.undoHint} onClick={() => desk.open.undo()}>
        {words.conversation.undo}
      </button>
    </>
  );
}

/** All that the agent said in the last turn. */
async function answer(desk: Desk): Promise<string> {
  const turn = desk.lastTurn.peek();
  if (turn !== null) await desk.open.wholeTurn(turn);
  return desk.open.entries.value
    .filter((entry) => entry.kind === 'assistant' && entry.turn === turn)
    .map((entry) => (entry.kind === 'assistant' ? entry.text : ''))
    .filter(Boolean)
    .join('\n\n');
}
