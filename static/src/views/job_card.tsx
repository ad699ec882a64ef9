// A job that goes on in the background: how it goes, what it prints, what it costs.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { JobEntry } from '../store/state.ts';
import { address } from '../text/links.ts';
import { LogTail, LogText } from '../text/log_view.tsx';
import { Name } from '../text/name.tsx';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon, type IconName } from './icons.tsx';
import { still } from './still.tsx';

const { money, seconds } = words.amounts;

const ROWS = 12;
const ICONS: Readonly<Record<Exclude<JobEntry['state'], 'running'>, IconName>> = {
  ok: 'check',
  error: 'alert',
  cancelled: 'dash',
  unknown: 'question',
};

export const JobCard = still(function JobCard({ desk, entry }: { desk: Desk; entry: JobEntry }): JSX.Element {
  const { state, title } = entry;
  const open = useSignal(state === 'running');
  return (
    <article
      class={`entry tool is-${state}`}
      data-key={entry.key}
      tabIndex={-1}
      aria-label={words.job.card(title, words.tool.states[state])}
    >
      <button
        type="button"
        class="tool-head"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="chevron" class="twist" />
        <span class="tool-name">
          <Name text={title} />
        </span>
        <span class="tool-about mono ellipsis">{entry.job}</span>
        <span class="tool-state">
          {state === 'running' ? <span class="spinner" /> : <Icon name={ICONS[state]} />}
          <span>{words.tool.states[state]}</span>
        </span>
      </button>
      {open.value && <Printed desk={desk} entry={entry} />}
      <p class="under">
        {facts(entry).join(' · ')}{' '}
        <Place url={entry.url} />
      </p>
      {state === 'running' && <p class="under">{words.job.goesOn}</p>}
    </article>
  );
});

function Printed({ desk, entry }: { desk: Desk; entry: JobEntry }): JSX.Element {
  const log = useMemo(() => desk.open.logOf(entry.job), [desk, entry.job]);
  const { state, output } = entry;
  return (
    <div class="tool-tail">
      {state === 'running' && <LogTail log={log} rows={ROWS} />}
      {output && <LogText text={output} rows={ROWS} />}
    </div>
  );
}

function Place({ url }: { url: string | undefined }): JSX.Element | null {
  const target = url === undefined ? null : address(url);
  if (target === null || target.protocol === 'mailto:') return null;
  return (
    <a href={target.href} target="_blank" rel="noopener noreferrer">
      {words.job.open}
    </a>
  );
}

function facts({ hardware, seconds: ran, cost, state }: JobEntry): string[] {
  const found = hardware === undefined ? [] : [hardware];
  if (ran !== undefined) found.push(seconds(ran));
  if (cost !== null) found.push(state === 'running' ? words.job.atMost(money(cost)) : money(cost));
  return found;
}
