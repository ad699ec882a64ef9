// One tool call: what it is about, how it goes, what it printed, and the question it may ask.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Inquired, ToolEntry, ToolState } from '../store/state.ts';
import { Diff } from '../text/diff_view.tsx';
import { LogTail, LogText } from '../text/log_view.tsx';
import { Name } from '../text/name.tsx';
import { words } from '../words/en.ts';
import { ApprovalForm } from './approval.tsx';
import { ArgumentsView } from './arguments_view.tsx';
import { summary } from './arguments.ts';
import type { Desk } from './desk.ts';
import { Icon, type IconName } from './icons.tsx';
import { LeftFiles } from './left_files.tsx';
import { still } from './still.tsx';
import { Answered, QuestionForm } from './question_form.tsx';
import { ResearchSteps } from './research_steps.tsx';
import { narrow, serverNow } from './surroundings.ts';

const { seconds } = words.amounts;

const TAIL_ROWS = 5;
const FULL_ROWS = 24;
const PREVIEW_LINES = 3;
const PREVIEWED = new Set(['bash']);
/** What it does is seen elsewhere. */
const SLIGHT = new Set(['plan']);

export const ToolCard = still(function ToolCard({ desk, entry }: { desk: Desk; entry: ToolEntry }): JSX.Element {
  const open = useSignal(false);
  const { text, plain } = summary(entry.tool, entry.arguments);
  const asks = entry.state === 'asks' && entry.undone === undefined && !desk.gone.value;
  return (
    <article
      class={`entry tool is-${entry.state}${SLIGHT.has(entry.tool) && entry.state === 'ok' ? ' slight' : ''}`}
      data-key={entry.key}
      tabIndex={-1}
      aria-label={words.tool.card(entry.tool, words.tool.states[entry.state])}
      onKeyDown={(event) => asks && desk.usable.value && rule(event, desk, entry)}
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
          <Name text={entry.tool} />
        </span>
        <span class={plain ? 'tool-about ellipsis' : 'tool-about mono ellipsis'}>{text}</span>
        <State entry={entry} />
      </button>
      {asks && inCard(desk) && <ApprovalForm desk={desk} entry={entry} />}
      {open.value ? <Body desk={desk} entry={entry} /> : <Tail desk={desk} entry={entry} />}
      {entry.questions?.map((inquired) => (
        <Question key={inquired.asked.question} desk={desk} entry={entry} inquired={inquired} />
      ))}
      {entry.steps && <ResearchSteps steps={entry.steps} />}
      {entry.state === 'unknown' && <p class="under">{words.tool.unknown}</p>}
      {entry.ruling && <p class="under">{ruled(entry.ruling, desk)}</p>}
      <LeftFiles session={desk.open.id} entry={entry} />
    </article>
  );
});

/** Open: its form, which is a sheet on a phone; closed: what became of it. */
function Question({ desk, entry, inquired }: { desk: Desk; entry: ToolEntry; inquired: Inquired }): JSX.Element | null {
  const { asked, answer } = inquired;
  if (answer) return <Answered desk={desk} inquired={inquired} />;
  const isOpen = entry.output === undefined && !desk.gone.value && inCard(desk);
  return isOpen ? <QuestionForm desk={desk} asked={asked} /> : null;
}

const ICONS: Readonly<Record<Exclude<ToolState, 'running'>, IconName>> = {
  queued: 'clock',
  asks: 'question',
  ok: 'check',
  error: 'alert',
  rejected: 'close',
  cancelled: 'dash',
  unknown: 'question',
};

function State({ entry }: { entry: ToolEntry }): JSX.Element {
  const { state } = entry;
  return (
    <span class="tool-state">
      {state === 'running' ? <span class="spinner" /> : <Icon name={ICONS[state]} />}
      <span>{words.tool.states[state]}</span>
      {state === 'running' && entry.since !== undefined && <Ticking since={entry.since} />}
      {entry.seconds !== undefined && entry.seconds >= 0.05 && <span>{seconds(entry.seconds)}</span>}
    </span>
  );
}

function Ticking({ since }: { since: string }): JSX.Element {
  const gone = useComputed(() => Math.max(0, Math.floor((serverNow.value - Date.parse(since)) / 1000)));
  return <span>{gone.value < 60 ? `${gone.value} s` : seconds(gone.value)}</span>;
}

/** A closed card shows a running log's end, and a few lines of what a command printed. */
function Tail({ desk, entry }: { desk: Desk; entry: ToolEntry }): JSX.Element | null {
  const log = useMemo(() => desk.open.logOf(entry.call), [desk, entry.call]);
  if (entry.state === 'running') {
    return (
      <div class="tool-tail">
        <LogTail log={log} rows={TAIL_ROWS} />
      </div>
    );
  }
  const wanted = entry.state === 'error' || PREVIEWED.has(entry.tool);
  const lines = wanted && entry.state !== 'rejected' ? lastLines(entry.output ?? '') : '';
  if (!lines) return null;
  return (
    <div class="tool-tail">
      <LogText text={lines} rows={PREVIEW_LINES} bare />
    </div>
  );
}

function lastLines(output: string): string {
  const lines = output.slice(-4_000).split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-PREVIEW_LINES).join('\n');
}

function Body({ desk, entry }: { desk: Desk; entry: ToolEntry }): JSX.Element {
  const log = useMemo(() => desk.open.logOf(entry.call), [desk, entry.call]);
  const { output, malformed, truncated, size } = entry;
  return (
    <div class="tool-body">
      <section>
        <p class="label">{entry.proposed ? words.tool.ran : words.tool.given}</p>
        {malformed ? <Malformed text={malformed} /> : <Given entry={entry} />}
      </section>
      {output === undefined
        ? entry.state === 'running' && (
            <section>
              <p class="label">{words.tool.log}</p>
              <LogTail log={log} rows={FULL_ROWS} />
            </section>
          )
        : entry.tool !== 'plan' && (
            <section>
              <p class="label">{words.tool.output}</p>
              {output ? <LogText text={output} rows={FULL_ROWS} /> : <p class="under">{words.tool.nothing}</p>}
              {truncated && <p class="under">{words.tool.truncated(size ?? output.length)}</p>}
            </section>
          )}
    </div>
  );
}

function Malformed({ text }: { text: string }): JSX.Element {
  return (
    <>
      <p class="under">{words.tool.unread}</p>
      <pre class="plain">{text}</pre>
    </>
  );
}

/** An edit is shown as what it changes, other calls by their arguments. */
function Given({ entry }: { entry: ToolEntry }): JSX.Element {
  const { old, new: fresh, ...rest } = entry.arguments;
  if (entry.tool === 'edit' && typeof old === 'string' && typeof fresh === 'string') {
    return (
      <>
        <ArgumentsView given={rest} />
        <Diff before={old} after={fresh} />
      </>
    );
  }
  return (
    <>
      <ArgumentsView given={entry.arguments} />
      {entry.proposed && (
        <Diff before={JSON.stringify(entry.proposed, null, 2)} after={JSON.stringify(entry.arguments, null, 2)} />
      )}
    </>
  );
}

function ruled(ruling: NonNullable<ToolEntry['ruling']>, desk: Desk): string {
  const { decision, by, feedback, arguments: edited, remember } = ruling;
  const who = by === 'mooring' ? words.approval.server : desk.isMe(by) ? words.approval.you : by;
  const said = [
    decision === 'approve' ? words.approval.approvedBy(who) : words.approval.rejectedBy(who),
    edited ? words.approval.edited : '',
    remember ? words.approval.remembered : '',
  ];
  return said.filter(Boolean).join(' ') + (feedback ? `: “${feedback}”` : '');
}

/** A and R rule on the card in focus, unless somebody is writing in it. */
function rule(event: KeyboardEvent, desk: Desk, entry: ToolEntry): void {
  const writing = (event.target as Element).closest('input, textarea, select');
  if (writing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (desk.hasRuled(entry.call)) return;
  const ruling = desk.rulings.of(entry.call, entry.arguments);
  if (event.key === 'a') {
    const approval = ruling.approval();
    if (approval) desk.decide([approval]);
  } else if (event.key === 'r') ruling.rejecting.value = true;
  else return;
  event.preventDefault();
}

/** On a phone those who may answer have it in a sheet. */
const inCard = (desk: Desk): boolean => !narrow.value || !desk.drives.value;
