// How full the context is, what was used, what it cost, who else looks on; and what the agent does just now.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Badge } from './badge.tsx';
import type { Desk } from './desk.ts';
import { wide } from './surroundings.ts';

const { count, money, percent } = words.amounts;

const HIGH = 70;
const FULL = 90;

export function Meter({ share, label }: { share: number; label: string }): JSX.Element {
  const bar = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (bar.current) bar.current.style.width = `${share}%`;
  }, [share]);
  return (
    <div
      class={`meter${share >= FULL ? ' full' : share >= HIGH ? ' high' : ''}`}
      role="meter"
      aria-label={label}
      aria-valuenow={share}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <i ref={bar} />
    </div>
  );
}

export function UsagePanel({ desk }: { desk: Desk }): JSX.Element {
  const used = desk.used.value;
  const { context, viewers = 1 } = desk.status.value ?? {};
  const share = percent(context?.used ?? 0, context?.limit ?? 0);
  return (
    <section aria-label={words.meters.heading}>
      <h2>{words.meters.heading}</h2>
      <dl class="facts">
        <Fact name={words.meters.context} value={words.meters.contextUsed(share, count(context?.limit ?? 0))} />
      </dl>
      <Meter share={share} label={words.meters.contextLabel} />
      {share >= FULL && <p class="under">{words.meters.full}</p>}
      <dl class="facts">
        <Fact name={words.meters.input} value={count(used.input)} />
        {used.cached !== null && used.cached > 0 && <Fact name={words.meters.cached} value={count(used.cached)} />}
        <Fact name={words.meters.output} value={count(used.output)} />
        <Fact name={words.meters.cost} value={used.cost === null ? words.meters.costUnknown : money(used.cost)} />
        {viewers > 1 && <Fact name={words.fleet.viewers} value={String(viewers)} />}
      </dl>
      <Budget desk={desk} />
    </section>
  );
}

/** How far calls may run without asking; nothing where they ask, or where there is no limit. */
function Budget({ desk }: { desk: Desk }): JSX.Element | null {
  const { enabled = false, cost_cap_usd: cap = null } = desk.open.state.value.autoApproval ?? {};
  const { cost } = desk.used.value;
  if (!enabled || cap === null) return null;
  return (
    <>
      <dl class="facts">
        <Fact name={words.meters.budget} value={money(cap)} />
      </dl>
      {cost !== null && <Meter share={cap > 0 ? percent(cost, cap) : 100} label={words.meters.budgetLabel} />}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Below the composer. */
export function StatusLine({ desk }: { desk: Desk }): JSX.Element {
  const { open } = desk;
  const doing = useComputed(() => {
    if (open.stopping.value) return words.state.stopping;
    if (!desk.synced.value && !desk.gone.value) return words.state.opening;
    const now = desk.status.value?.activity;
    const activity = now ? words.activity[now] : '';
    return [words.state[desk.phase.value], activity].filter(Boolean).join(' · ');
  });
  const used = desk.used.value;
  const { context, viewers = 1 } = desk.status.value ?? {};
  const share = percent(context?.used ?? 0, context?.limit ?? 0);
  const spelled = wide.value && desk.detailed.value;
  return (
    <div class="status">
      <Badge state={desk.phase.value} class="doing">
        <span class="ellipsis">{doing}</span>
      </Badge>
      {viewers > 1 && <span>{words.meters.viewers(viewers)}</span>}
      {!spelled && context !== undefined && context.used > 0 && (
        <span class="context">
          <Meter share={share} label={words.meters.contextLabel} />
          {words.meters.contextUsed(share, count(context.limit))}
        </span>
      )}
      {!spelled && used.cost !== null && used.cost > 0 && <span>{money(used.cost)}</span>}
    </div>
  );
}
