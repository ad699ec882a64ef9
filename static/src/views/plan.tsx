// The agent's plan: a panel beside the conversation, or a chip above the composer.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PlanItem } from '../wire.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon, type IconName } from './icons.tsx';

const MARKS: Readonly<Record<PlanItem['status'], IconName>> = {
  pending: 'circle',
  in_progress: 'half',
  completed: 'check',
};

const done = (items: readonly PlanItem[]): number =>
  items.filter((item) => item.status === 'completed').length;

function Steps({ items }: { items: readonly PlanItem[] }): JSX.Element {
  return (
    <ol class="plan">
      {items.map(({ id, content, status }) => (
        <li key={id} class={`is-${status}`} aria-current={status === 'in_progress' ? 'step' : undefined}>
          <Icon name={MARKS[status]} />
          <span>
            {content}
            <span class="unseen"> ({words.plan.status[status]})</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

export function PlanPanel({ desk }: { desk: Desk }): JSX.Element {
  const items = desk.plan.value;
  return (
    <section aria-label={words.plan.heading}>
      <h2>
        {words.plan.heading}
        {items.length > 0 && <span>{words.plan.progress(done(items), items.length)}</span>}
      </h2>
      {items.length ? <Steps items={items} /> : <p class="under">{words.plan.empty}</p>}
    </section>
  );
}

export function PlanChip({ desk }: { desk: Desk }): JSX.Element | null {
  const open = useSignal(false);
  const items = desk.plan.value;
  if (items.length === 0) return null;
  const now = items.find(({ status }) => status === 'in_progress') ?? items.find(({ status }) => status === 'pending');
  return (
    <section class="plan-chip" aria-label={words.plan.heading}>
      <button
        type="button"
        class="button"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="chevron" class="twist" />
        <strong>
          {words.plan.heading} {words.plan.progress(done(items), items.length)}
        </strong>
        <span class="ellipsis">{now?.content ?? words.plan.allDone}</span>
      </button>
      {open.value && <Steps items={items} />}
    </section>
  );
}
