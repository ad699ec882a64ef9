// A question of a server of tools within reach: a bar over the conversation, a sheet on a phone.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { QuestionForm } from './question_form.tsx';

export function QuestionBar({ desk }: { desk: Desk }): JSX.Element | null {
  const unseen = useComputed(() => desk.inquired.value.filter(({ question }) => !desk.inSight.value.has(question)));
  const [first] = unseen.value;
  if (!first || !desk.drives.value) return null;
  const many = unseen.value.length > 1;
  return (
    <div class="bar warn ask-bar">
      <Icon name="question" />
      <span class="ellipsis">
        <strong>{many ? words.question.several(unseen.value.length) : words.question.waits(first.server)}</strong>{' '}
        {!many && <span class="soft">{first.message}</span>}
      </span>
      <button type="button" class="button primary" onClick={() => desk.reveal(`c:${first.call}`)}>
        {words.approval.show}
      </button>
    </div>
  );
}

/** One question at a time, in reach of a thumb; folds away to a bar. */
export function QuestionSheet({ desk }: { desk: Desk }): JSX.Element | null {
  const chosen = useSignal(0);
  const folded = useSignal(false);
  const inquired = desk.inquired.value;
  const at = Math.min(chosen.value, inquired.length - 1);
  const asked = inquired[at];
  if (!asked) return null;
  const many = inquired.length > 1;
  return (
    <section class="ask-sheet" aria-label={words.question.waits(asked.server)}>
      <div class="ask-head">
        <strong class="ellipsis">
          {many ? words.question.several(inquired.length) : words.question.waits(asked.server)}
        </strong>
        {many && <Next choose={() => (chosen.value = (at + 1) % inquired.length)} />}
        <button
          type="button"
          class="button icon"
          aria-expanded={!folded.value}
          aria-label={folded.value ? words.question.review : words.approval.fold}
          onClick={() => {
            folded.value = !folded.value;
          }}
        >
          <Icon name={folded.value ? 'up' : 'fold'} />
        </button>
      </div>
      {!folded.value && <QuestionForm key={asked.question} desk={desk} asked={asked} />}
    </section>
  );
}

function Next({ choose }: { choose: () => void }): JSX.Element {
  return (
    <button type="button" class="button icon" aria-label={words.approval.next} onClick={choose}>
      <Icon name="chevron" />
    </button>
  );
}
