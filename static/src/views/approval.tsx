// The question before a call: what exactly will run, and what a person can say to it.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ToolEntry } from '../store/state.ts';
import { Diff } from '../text/diff_view.tsx';
import { money } from '../words/amounts.ts';
import { words } from '../words/en.ts';
import { ArgumentsEditor, ArgumentsView } from './arguments_view.tsx';
import type { Desk } from './desk.ts';
import { coarse, narrow } from './surroundings.ts';
import type { Ruling } from './ruling.ts';

type Sent = 'no' | 'sending' | 'offline';

export function ApprovalForm({ desk, entry }: { desk: Desk; entry: ToolEntry }): JSX.Element {
  const ruling = desk.rulings.of(entry.call, entry.arguments);
  const root = useRef<HTMLElement>(null);
  const sent = useComputed(() => decisionOf(desk, entry.call));
  const state = sent.value;
  const said = entry.arguments['description'];
  const busy = state === 'sending' || state === 'offline';
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
      {narrow.value && typeof said === 'string' && <p>{said}</p>}
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
      {ruling.rejecting.value ? (
        <Rejecting desk={desk} ruling={ruling} busy={busy} reject={() => decide('reject')} />
      ) : (
        <Acts desk={desk} entry={entry} ruling={ruling} busy={busy} approve={() => decide('approve')} />
      )}
      {state === 'sending' && <p class="under">{words.approval.sending}</p>}
      {state === 'offline' && <p class="under">{words.approval.offline}</p>}
    </section>
  );
}

function Why({ entry }: { entry: ToolEntry }): JSX.Element {
  const { reason = '', cost = null } = entry.question ?? {};
  return (
    <p class="why">
      <strong>{words.approval.question}</strong>{' '}
      <span class="under">{[words.approval.effects[entry.effect], reason].filter(Boolean).join(' · ')}</span>
      {cost !== null && <strong class="cost">{words.approval.cost(money(cost))}</strong>}
    </p>
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

function Acts(props: {
  readonly desk: Desk;
  readonly entry: ToolEntry;
  readonly ruling: Ruling;
  readonly busy: boolean;
  readonly approve: () => void;
}): JSX.Element {
  const { desk, entry, ruling, busy } = props;
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => watched(desk, entry.call, row.current), [entry.call]);
  const edited = ruling.changes.value.length > 0;
  return (
    <div class="approval-acts" ref={row}>
      <button type="button" class="button primary" data-approve disabled={busy} onClick={props.approve}>
        {edited ? words.approval.approveEdited : words.approval.approve}
      </button>
      <button
        type="button"
        class="button outlined"
        disabled={busy}
        onClick={() => {
          ruling.rejecting.value = true;
        }}
      >
        {words.approval.reject}
      </button>
      <button
        type="button"
        class="button outlined"
        disabled={busy}
        aria-expanded={ruling.mode.value !== 'read'}
        onClick={() => ruling.turnTo(ruling.mode.value === 'read' ? 'form' : 'read')}
      >
        {ruling.mode.value === 'read' ? words.approval.edit : words.approval.editDone}
      </button>
      {entry.effect !== 'spend' && (
        <label class="check" title={words.approval.rememberHint}>
          <input
            type="checkbox"
            disabled={busy}
            checked={ruling.remember.value}
            onChange={(event) => {
              ruling.remember.value = event.currentTarget.checked;
            }}
          />
          {words.approval.remember(entry.tool)}
        </label>
      )}
    </div>
  );
}

function Rejecting(props: {
  readonly desk: Desk;
  readonly ruling: Ruling;
  readonly busy: boolean;
  readonly reject: () => void;
}): JSX.Element {
  const { desk, ruling, busy, reject } = props;
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => watched(desk, ruling.call, form.current), [ruling.call]);
  return (
    <form
      ref={form}
      class="rejecting"
      onSubmit={(event) => {
        event.preventDefault();
        reject();
      }}
    >
      <input
        ref={field}
        class="field"
        maxLength={4000}
        aria-label={words.approval.why}
        placeholder={words.approval.why}
        value={ruling.why.value}
        onInput={(event) => {
          ruling.why.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="button danger" disabled={busy}>
        {words.approval.rejectNow}
      </button>
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() => {
          ruling.rejecting.value = false;
        }}
      >
        {words.cancel}
      </button>
    </form>
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

/** Whether the buttons are in sight, for the bar that repeats them when they are not. */
function watched(desk: Desk, call: string, node: Element | null): (() => void) | undefined {
  if (!node) return undefined;
  const put = (there: boolean): void => {
    const next = new Set(desk.inSight.value);
    if (there) next.add(call);
    else next.delete(call);
    desk.inSight.value = next;
  };
  const observer = new IntersectionObserver(([seen]) => put(seen?.isIntersecting ?? false));
  observer.observe(node);
  return () => {
    observer.disconnect();
    put(false);
  };
}

/** After a ruling the next question has the focus, or else the composer. */
function focusNext(from: HTMLElement | null, desk: Desk): void {
  const all = [...document.querySelectorAll<HTMLElement>('[data-approve]')];
  const next = all.find((node) => !from?.contains(node));
  if (next) next.focus();
  else if (!coarse.value) desk.focus();
}
