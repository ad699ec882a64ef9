// The question within reach, however far up the reader is: a bar over the conversation, a sheet on a phone.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { ApprovalForm, decisionOf } from './approval.tsx';
import { summary } from './arguments.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';

export function AskBar({ desk }: { desk: Desk }): JSX.Element | null {
  const hidden = useComputed(() => {
    const asked = desk.asked.value;
    return asked.length === 0 || (asked.length === 1 && desk.inSight.value.has(asked[0]?.call ?? ''));
  });
  if (hidden.value) return null;
  const asked = desk.asked.value;
  const [first] = asked;
  const one = asked.length === 1;
  const edited = asked.some((entry) => desk.rulings.of(entry.call, entry.arguments).changes.value.length > 0);
  const approve = edited ? words.approval.approveEdited : words.approval.approve;
  const busy = asked.every(({ call }) => decisionOf(desk, call) !== 'no');
  return (
    <div class="bar warn ask-bar">
      <Icon name="question" />
      <span class="ellipsis">
        <strong>{one ? words.approval.waits(first?.tool ?? '') : words.approval.several(asked.length)}</strong>{' '}
        {one && first && <span class="mono soft">{summary(first.tool, first.arguments).text}</span>}
      </span>
      <button type="button" class="button outlined" onClick={() => desk.reveal(first?.key ?? '')}>
        {words.approval.show}
      </button>
      {desk.drives.value && (
        <button type="button" class="button primary" disabled={busy} onClick={() => desk.approveAll()}>
          {one ? approve : words.approval.all}
        </button>
      )}
    </div>
  );
}

/** One question at a time, in reach of a thumb; folds away to a bar. */
export function AskSheet({ desk }: { desk: Desk }): JSX.Element | null {
  const chosen = useSignal(0);
  const folded = useSignal(false);
  const asked = desk.asked.value;
  const at = Math.min(chosen.value, asked.length - 1);
  const entry = asked[at];
  if (!entry) return null;
  const many = asked.length > 1;
  return (
    <section class="ask-sheet" aria-label={words.approval.several(asked.length)}>
      <div class="ask-head">
        <strong class="ellipsis">
          {many ? words.approval.several(asked.length) : words.approval.waits(entry.tool)}
        </strong>
        {many && <Which at={at} all={asked.length} choose={(next) => (chosen.value = next)} />}
        <button
          type="button"
          class="button icon"
          aria-expanded={!folded.value}
          aria-label={folded.value ? words.approval.review : words.approval.fold}
          onClick={() => {
            folded.value = !folded.value;
          }}
        >
          <Icon name={folded.value ? 'up' : 'fold'} />
        </button>
      </div>
      {!folded.value && <ApprovalForm key={entry.call} desk={desk} entry={entry} />}
      {many && !folded.value && (
        <div class="approval-acts all">
          <button type="button" class="button outlined" onClick={() => desk.approveAll()}>
            {words.approval.all}
          </button>
        </div>
      )}
    </section>
  );
}

function Which({ at, all, choose }: { at: number; all: number; choose: (at: number) => void }): JSX.Element {
  return (
    <>
      <span class="under">{words.approval.of(at + 1, all)}</span>
      <button
        type="button"
        class="button icon"
        aria-label={words.approval.next}
        onClick={() => choose((at + 1) % all)}
      >
        <Icon name="chevron" />
      </button>
    </>
  );
}
