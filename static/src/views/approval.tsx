// The question before a call: what exactly will run, and what a person can say to it.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { ToolEntry } from '../store/state.ts';
import { Diff } from '../text/diff_view.tsx';
import { words } from '../words/en.ts';
import { Acts, Rejecting } from './approval_acts.tsx';
import { ArgumentsEditor, ArgumentsView } from './arguments_view.tsx';
import type { Desk } from './desk.ts';
import { coarse, narrow } from './surroundings.ts';
import type { Ruling } from './ruling.ts';

const { money } = words.amounts;

type Sent = 'no' | 'sending' | 'offline';

export function ApprovalForm({ desk, entry }: { desk: Desk; entry: ToolEntry }): JSX.Element {
  const ruling = desk.rulings.of(entry.call, entry.arguments);
  const root = useRef<HTMLElement>(null);
  const state = useComputed(() => decisionOf(desk, entry.call)).value;
  const busy = state !== 'no';
  const decide = (decision: 'approve' | 'reject'): void => {
    const made = decision === 'approve' ? ruling.approval() : ruling.rejection();
    if (!made) return;
    const focused = root.current?.contains(document.activeElement);
    desk.decide([made]);
    if (focused) focusNext(root.current, desk);
  };
  return (
    <section
      ref={root}
      class="approval"
      aria-label={words.approval.region(entry.tool)}
      onKeyDown={(event) => backOut(event, ruling)}
    >
      <Why entry={entry} />
      {ruling.mode.value === 'read' ? (
        <ArgumentsView given={entry.arguments} script />
      ) : (
        <ArgumentsEditor ruling={ruling} />
      )}
      <Changes ruling={ruling} />
      {ruling.problem.value && (
        <p class="problem" role="alert">
          {ruling.problem}
        </p>
      )}
      <Decision desk={desk} entry={entry} ruling={ruling} busy={busy} decide={decide} />
      {busy && <p class="under">{words.approval[state]}</p>}
    </section>
  );
}

function Decision(props: {
  readonly desk: Desk;
  readonly entry: ToolEntry;
  readonly ruling: Ruling;
  readonly busy: boolean;
  readonly decide: (decision: 'approve' | 'reject') => void;
}): JSX.Element {
  const { desk, entry, ruling, busy, decide } = props;
  if (!desk.drives.value) return <p class="under">{words.sharing.notYours}</p>;
  if (ruling.rejecting.value) {
    return <Rejecting desk={desk} ruling={ruling} busy={busy} reject={() => decide('reject')} />;
  }
  return <Acts desk={desk} entry={entry} ruling={ruling} busy={busy} approve={() => decide('approve')} />;
}

function Why({ entry }: { entry: ToolEntry }): JSX.Element {
  const { reason = '', cost = null } = entry.question ?? {};
  const said = entry.arguments['description'];
  return (
    <>
      <p class="why">
        <strong>{words.approval.question}</strong>{' '}
        <span class="under">{[words.approval.effects[entry.effect], reason].filter(Boolean).join(' · ')}</span>
        {cost !== null && <strong class="cost">{words.approval.cost(money(cost))}</strong>}
      </p>
      {narrow.value && typeof said === 'string' && <p>{said}</p>}
    </>
  );
}

function Changes({ ruling }: { ruling: Ruling }): JSX.Element | null {
  const changes = ruling.changes.value;
  if (changes.length === 0) return null;
  return (
    <div class="changes">
      <p class="label">{words.approval.changes}</p>
      {changes.map(({ name, before, after }) => (
        <div key={name}>
          <Diff before={before} after={after} label={name} />
        </div>
      ))}
    </div>
  );
}

/** Esc leaves what was begun here: it must not stop the turn under somebody who writes. */
function backOut(event: KeyboardEvent, ruling: Ruling): void {
  if (event.key !== 'Escape') return;
  if (ruling.rejecting.value) ruling.rejecting.value = false;
  else if (ruling.mode.value !== 'read') ruling.turnTo('read');
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** What became of our ruling on a call; one that was refused is told by itself. */
export function decisionOf(desk: Desk, call: string): Sent {
  const sent = desk.open.outbox.value.findLast(
    ({ frame }) => frame.type === 'approval' && frame.decisions.some((one) => one.call === call),
  );
  if (!sent) return 'no';
  return sent.state === 'offline' ? 'offline' : 'sending';
}

/** After a ruling the next question has the focus, or else the composer. */
function focusNext(from: HTMLElement | null, desk: Desk): void {
  const all = [...document.querySelectorAll<HTMLElement>('[data-approve]')];
  const next = all.find((node) => !from?.contains(node));
  if (next) next.focus();
  else if (!coarse.value) desk.focus();
}
