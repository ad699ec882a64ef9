// How ends of turns and other notes are told, and how much weight they have. Pure.

import type { NoteEntry } from '../store/state.ts';
import type { TurnEnded } from '../wire.ts';
import { words } from '../words/en.ts';
import { turnRemedy } from '../words/remedies.ts';

type Tone = 'bad' | 'warn' | 'line' | 'quiet';

/** How a turn that did not complete is told. */
export function endWords({ status, reason, error }: TurnEnded): readonly [string, Tone] {
  if (status === 'failed') {
    return [words.ended.failed([error?.message, turnRemedy(error?.code)].filter(Boolean).join(' ')), 'bad'];
  }
  if (status === 'limit') {
    const { limits, waysOut, goOn } = words.ended;
    const what = reason ?? '';
    return [words.ended.limit(limits[what] ?? what, waysOut[what] ?? goOn), 'warn'];
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
