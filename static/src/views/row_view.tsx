// Rows of the conversation: an entry by its kind, and turns that were undone, folded away.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Entry } from '../store/state.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { JobCard } from './job_card.tsx';
import { Answer, UserMessage } from './messages.tsx';
import { Note } from './notes.tsx';
import type { Folded } from './rows.ts';
import { ToolCard } from './tool_card.tsx';

export function RowView({ desk, entry }: { desk: Desk; entry: Entry }): JSX.Element {
  switch (entry.kind) {
    case 'user':
      return <UserMessage desk={desk} entry={entry} />;
    case 'assistant':
      return <Answer desk={desk} entry={entry} />;
    case 'tool':
      return <ToolCard desk={desk} entry={entry} />;
    case 'job':
      return <JobCard desk={desk} entry={entry} />;
    case 'note':
      return <Note desk={desk} entry={entry} />;
  }
}

export function FoldedTurns({ desk, row }: { desk: Desk; row: Folded }): JSX.Element {
  const open = useSignal(false);
  const { asked } = row;
  return (
    <div class="entry folded-turns" data-key={row.key} tabIndex={-1}>
      <button
        type="button"
        class="button small"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="chevron" class="twist" />
        {words.conversation.undoneTurns(row.turns)}
      </button>
      {asked && desk.usable.value && (
        <button type="button" class="button small soft" onClick={() => desk.put(asked)}>
          {words.conversation.editAgain}
        </button>
      )}
      {open.value && (
        <div>
          {row.entries.map((entry) => (
            <RowView key={entry.key} desk={desk} entry={entry} />
          ))}
        </div>
      )}
    </div>
  );
}
