// What a session runs on: its model, and whether calls run without asking.

import { useComputed, useSignal, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import type { ModelOffers } from '../link/api.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { narrow } from './surroundings.ts';

export function ModelPicker(props: {
  readonly offers: ReadonlySignal<ModelOffers | null>;
  readonly current: string;
  readonly choose: (id: string) => void;
}): JSX.Element | null {
  const models = props.offers.value?.models ?? [];
  const strange = props.current && !models.some(({ id }) => id === props.current);
  if (models.length === 0 && !props.current) return null;
  return (
    <select
      class="picker"
      aria-label={words.controls.model}
      title={words.controls.model}
      value={props.current}
      onChange={(event) => props.choose(event.currentTarget.value)}
    >
      {strange && <option value={props.current}>{props.current}</option>}
      {models.map(({ id, label, available, why_not: why }) => (
        <option key={id} value={id} disabled={!available} title={why}>
          {available ? label : words.controls.unavailable(label, why ?? words.controls.notAvailable)}
        </option>
      ))}
    </select>
  );
}

/** What a person just chose is shown while it travels. */
export function SessionModel({ desk, offers }: { desk: Desk; offers: ReadonlySignal<ModelOffers | null> }): JSX.Element {
  const current = useComputed(() => {
    const asked = desk.open.outbox.value.findLast(({ frame }) => frame.type === 'set_model')?.frame;
    return asked?.type === 'set_model' ? asked.model : (desk.session.value?.model ?? '');
  });
  return <ModelPicker offers={offers} current={current.value} choose={(id) => desk.open.setModel(id)} />;
}

export function AutoApproval({ desk }: { desk: Desk }): JSX.Element {
  const chosen = useComputed(() => {
    const asked = desk.open.outbox.value.findLast(({ frame }) => frame.type === 'set_auto_approval')?.frame;
    if (asked?.type === 'set_auto_approval') return { on: asked.enabled, cap: asked.cost_cap_usd ?? null };
    const { enabled = false, cost_cap_usd: cap = null } = desk.open.state.value.autoApproval ?? {};
    return { on: enabled, cap: cap ?? null };
  });
  const { on, cap } = chosen.value;
  return (
    <span class="row">
      <label class={on ? 'switch-label on' : 'switch-label'} title={on ? words.controls.autoOn : words.controls.autoHint}>
        <input
          type="checkbox"
          role="switch"
          class="switch"
          aria-label={words.controls.auto}
          checked={on}
          onChange={(event) => desk.open.setAutoApproval(event.currentTarget.checked)}
        />
        {narrow.value ? words.controls.autoShort : words.controls.auto}
      </label>
      {on && <Cap desk={desk} cap={cap} />}
    </span>
  );
}

/** Up to how many dollars calls run without asking. */
function Cap({ desk, cap }: { desk: Desk; cap: number | null }): JSX.Element {
  const text = useSignal('');
  // Also one that is heard of later: a field left empty would take it away on blur.
  useLayoutEffect(() => {
    text.value = cap === null ? '' : String(cap);
  }, [cap]);
  const send = (): void => {
    const value = text.value.trim() === '' ? undefined : Number(text.value);
    if (value === undefined ? cap !== null : value >= 0 && value !== cap) desk.open.setAutoApproval(true, value);
  };
  return (
    <input
      class="field cap"
      inputMode="decimal"
      aria-label={words.controls.cap}
      title={words.controls.capHint}
      placeholder={words.controls.cap}
      value={text.value}
      onInput={(event) => {
        text.value = event.currentTarget.value;
      }}
      onBlur={send}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        send();
      }}
    />
  );
}
