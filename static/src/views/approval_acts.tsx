// The buttons of a question: approve, reject with a reason, edit, and whether it asks again.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ToolEntry } from '../store/state.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import type { Ruling } from './ruling.ts';

export function Acts(props: {
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
      {entry.effect !== 'spend' && <Remember tool={entry.tool} ruling={ruling} busy={busy} />}
    </div>
  );
}

function Remember({ tool, ruling, busy }: { tool: string; ruling: Ruling; busy: boolean }): JSX.Element {
  return (
    <label class="check" title={words.approval.rememberHint}>
      <input
        type="checkbox"
        disabled={busy}
        checked={ruling.remember.value}
        onChange={(event) => {
          ruling.remember.value = event.currentTarget.checked;
        }}
      />
      {words.approval.remember(tool)}
    </label>
  );
}

export function Rejecting(props: {
  readonly desk: Desk;
  readonly ruling: Ruling;
  readonly busy: boolean;
  readonly reject: () => void;
}): JSX.Element {
  const { desk, ruling, busy, reject } = props;
  const form = useRef<HTMLFormElement>(null);
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
      <Reason ruling={ruling} />
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

function Reason({ ruling }: { ruling: Ruling }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
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
  );
}

/** Whether the buttons are in sight, for the bar that repeats them when they are not. */
export function watched(desk: Desk, call: string, node: Element | null): (() => void) | undefined {
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
