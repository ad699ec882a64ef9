// A session's state after one more frame, or a whole batch of them. Pure, and total.

import type {
  DurableEvent,
  Hello,
  ReasoningDelta,
  ServerFrame,
  Status,
  TextDelta,
} from '../wire.ts';
import { Draft } from './draft.ts';
import { fold } from './events.ts';
import { grow, trimmed } from './growing.ts';
import { type OpenText, type SessionState, empty, nothing } from './state.ts';

export function apply(state: SessionState, frame: ServerFrame): SessionState {
  return applyAll(state, [frame]);
}

/** Costs what the frames cost, and one copy of the entries where the log grew. */
export function applyAll(state: SessionState, frames: readonly ServerFrame[]): SessionState {
  let draft = new Draft(state);
  for (const frame of frames) {
    if (frame.type === 'hello') draft = begun(draft, frame);
    else if (draft.now.fault === null) take(draft, frame);
  }
  return draft.done();
}

const isDurable = (frame: ServerFrame): frame is DurableEvent => 'seq' in frame && 'at' in frame;

function take(draft: Draft, frame: Exclude<ServerFrame, Hello>): void {
  const { now } = draft;
  if (isDurable(frame)) return durable(draft, frame);
  switch (frame.type) {
    case 'text_delta':
      return spoken(draft, frame, 'text');
    case 'reasoning_delta':
      return spoken(draft, frame, 'reasoning');
    case 'tool_log': {
      const key = `c:${frame.call}`;
      const log = grow(draft.text(key)?.text ?? nothing, frame);
      if (log === null) now.fault = 'hole';
      else if (!isClosed(draft, key)) draft.write(key, { text: trimmed(log) });
      return;
    }
    case 'synced':
      if (frame.seq !== now.seq) now.fault = 'gap';
      else settle(draft);
      return;
    case 'status':
      now.status = frame;
      now.queued = queue(draft, frame);
      return;
    case 'bye':
      now.bye = frame;
  }
}

function durable(draft: Draft, event: DurableEvent): void {
  if (event.seq !== draft.now.seq + 1) {
    draft.now.fault = 'gap';
    return;
  }
  draft.now.seq = event.seq;
  draft.record(event);
  fold(draft, event);
}

/** What we have goes on where the log goes on; else it is dropped. */
function begun(draft: Draft, hello: Hello): Draft {
  const { now } = draft;
  const isSame = now.log === null || now.log === hello.log;
  const isKept = hello.mode === 'replay' && isSame && hello.from === now.seq + 1;
  if (!isKept && hello.mode === 'replay' && hello.from !== 1) {
    now.fault = 'gap';
    return draft;
  }
  const next = isKept ? draft : new Draft(anew(hello));
  for (const [key, { text, reasoning }] of next.texts) {
    next.write(key, { text: { ...text, stale: true }, reasoning: { ...reasoning, stale: true } });
  }
  const fresh = { synced: false, fault: null, status: null, bye: null };
  Object.assign(next.now, { ...fresh, log: hello.log, session: hello.session });
  return next;
}

/** Of a tail the log tells only a part of what was used; the session tells the rest. */
function anew({ mode, from, head, session }: Hello): SessionState {
  const start = { ...empty, seq: from - 1, oldest: from };
  if (mode === 'replay' || from === 1) return start;
  const { input_tokens: input, output_tokens: output, cost_usd: cost } = session.usage;
  const used = { input, output, cached: null, cost };
  return { ...start, counted: head, used, standing: null };
}

/** What the server has not sent again by now is open no more. */
function settle(draft: Draft): void {
  draft.now.synced = true;
  for (const [key, { text, reasoning }] of draft.texts) {
    if (text.stale && reasoning.stale) draft.shut(key);
    else if (text.stale) draft.write(key, { text: nothing });
    else if (reasoning.stale) draft.write(key, { reasoning: nothing });
  }
  draft.abandon((entry) => draft.text(entry.key) === undefined);
}

function spoken(draft: Draft, frame: TextDelta | ReasoningDelta, part: keyof OpenText): void {
  const { turn, item } = frame;
  const key = `m:${item}`;
  const old = draft.text(key);
  if (old === undefined && isClosed(draft, key)) return;
  const grown = grow(old?.[part] ?? nothing, frame);
  if (grown === null) {
    draft.now.fault = 'hole';
    return;
  }
  if (old === undefined) {
    const at = draft.now.turn?.at ?? '';
    const blank = { open: true, partial: false, text: '', reasoning: '' };
    draft.begin({ kind: 'assistant', key, item, turn, at, ...blank });
  }
  draft.write(key, { [part]: grown });
}

/** The log has said the last word on it. */
function isClosed(draft: Draft, key: string): boolean {
  const entry = draft.text(key) === undefined ? draft.find(key) : undefined;
  if (entry?.kind === 'tool') return entry.output !== undefined;
  if (entry?.kind === 'job') return entry.state !== 'running';
  return entry?.kind === 'assistant' && !entry.open;
}

function queue(draft: Draft, status: Status): SessionState['queued'] {
  const known = new Map(draft.now.queued.map((input) => [input.submission, input]));
  const unknown = { author: null, attachments: [] };
  return status.queue.map((input) => ({ ...unknown, ...known.get(input.submission), ...input }));
}
