// What happened between the messages: ends of turns, retries, summaries, changes of model.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { NoteEntry } from '../store/state.ts';
import { Markdown } from '../text/markdown.tsx';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { noteWords } from './note_words.ts';

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
