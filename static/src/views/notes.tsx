// What happened between the messages: ends of turns, retries, summaries, changes of model.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { NoteEntry } from '../store/state.ts';
import { Markdown } from '../text/markdown.tsx';
import type { TurnEnded } from '../wire.ts';
import { words } from '../words/en.ts';
import { turnRemedy } from '../words/remedies.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';

type Tone = 'bad' | 'warn' | 'line' | 'quiet';

/** How a turn that did not complete is told. */
export function endWords({ status, reason, error }: TurnEnded): readonly [string, Tone] {
  if (status === 'failed') {
    return [words.ended.failed([error?.message, turnRemedy(error?.code)].filter(Boolean).join(' ')), 'bad'];
  }
  if (status === 'limit') {
    const limits: Readonly<Record<string, string>> = words.ended.limits;
    return [words.ended.limit(limits[reason ?? ''] ?? reason ?? ''), 'warn'];
  }
  if (reason === 'server_restart') return [words.ended.server_restart, 'warn'];
  return [reason === 'superseded' ? words.ended.superseded : words.ended.stopped, 'quiet'];
}

export function noteWords({ event }: NoteEntry): readonly [string, Tone] {
  switch (event.type) {
    case 'turn_ended':
      return endWords(event);
    case 'notice':
      return [event.job ? words.job.told : event.text, 'quiet'];
    case 'session_ended':
      return [words.ended.session, 'line'];
    case 'compacted':
      return [words.notes.compacted(event.before_tokens, event.after_tokens), 'line'];
    case 'retrying': {
      const { attempt, of, wait_seconds: wait, error } = event;
      return [words.notes.retrying(error.message, attempt, of, wait), 'warn'];
    }
    case 'session_updated':
      if (event.model) return [words.notes.model(event.model), 'line'];
      return [event.auto_approval?.enabled ? words.notes.autoOn : words.notes.autoOff, 'line'];
    default:
      return ['', 'quiet'];
  }
}

export function Note({ desk, entry }: { desk: Desk; entry: NoteEntry }): JSX.Element | null {
  const [text, tone] = noteWords(entry);
  const { event } = entry;
  if (!text) return null;
  const again =
    event.type === 'turn_ended' &&
    event.status === 'failed' &&
    desk.settled.value &&
    desk.usable.value &&
    desk.lastTurn.value === event.turn;
  return (
    <aside class={`entry note ${tone}`} data-key={entry.key} tabIndex={-1}>
      {tone === 'bad' && <Icon name="alert" />}
      <p>{text}</p>
      {again && (
        <button
          type="button"
          class="button outlined small"
          title={words.conversation.againHint}
          onClick={() => desk.open.retry()}
        >
          {words.retry}
        </button>
      )}
      {event.type === 'compacted' && <Summary text={event.summary} />}
    </aside>
  );
}

function Summary({ text }: { text: string }): JSX.Element {
  const open = useSignal(false);
  return (
    <div>
      <button
        type="button"
        class="button small soft"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="chevron" class="twist" />
        {words.notes.summary}
      </button>
      {open.value && (
        <div class="summary">
          <Markdown text={text} />
        </div>
      )}
    </div>
  );
}
