// Golden logs of the real server: what the page shows of them, however they come.

import { describe, expect, test } from 'vitest';
import { STANDING, earlier, grounded } from '../../static/src/store/earlier.ts';
import { apply, applyAll } from '../../static/src/store/reduce.ts';
import { type Entry, type SessionState, empty } from '../../static/src/store/state.ts';
import type { Hello, ServerFrame } from '../../static/src/wire.ts';
import { golden, goldenFrames, goldenSummary, isEvent } from './frames.ts';

const given = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

function told(entry: Entry): object {
  const { key, kind, undone, retried } = entry;
  const common = given({ key, kind, turn: entry.turn ?? null, undone, retried });
  switch (entry.kind) {
    case 'user':
      return { ...common, text: entry.text, ...(entry.steered && { steered: true }) };
    case 'assistant': {
      const { text, reasoning, partial } = entry;
      return { ...common, text, reasoning, ...(partial && { partial: true }) };
    }
    case 'tool': {
      const { tool, state, arguments: used, output = null, ruling } = entry;
      const asked = entry.questions?.map(({ asked: { question }, answer }) => [question, answer?.action ?? null]);
      const questions = asked && Object.fromEntries(asked);
      return given({ ...common, tool, state, arguments: used, output, ruling: ruling?.decision, questions });
    }
    case 'job':
      return { ...common, state: entry.state };
    case 'note':
      return { ...common, about: entry.event.type };
  }
}

const summary = (state: SessionState) => ({
  head: state.seq,
  entries: state.entries.map(told),
  plan: state.plan.map((item) => item.content),
  queued: state.queued.map((input) => input.text),
  used: state.used,
  ended: state.ended,
});

const fold = (state: SessionState, frames: readonly ServerFrame[]) => frames.reduce(apply, state);

/** What does not depend on the connection it came over. */
function shown(state: SessionState): object {
  const { entries, open, plan, plans, queued, used, seq, turn, ended, autoApproval } = state;
  return { entries, open, plan, plans, queued, used, seq, turn, ended, autoApproval };
}

const hello = (frames: readonly ServerFrame[], change: Partial<Hello>): Hello => ({
  ...(frames.find((frame) => frame.type === 'hello') as Hello),
  ...change,
});

describe.each(golden)('%s', (name) => {
  const frames = goldenFrames(name);
  const events = frames.filter(isEvent);
  const live = fold(empty, frames);
  const head = events.length;

  test('is shown as the server means it', () => {
    expect(live.fault).toBeNull();
    expect(summary(live)).toEqual(goldenSummary(name));
  });

  test('is the same in one batch as frame by frame', () => {
    expect(applyAll(empty, frames)).toEqual(live);
  });

  test('is the same as a replay of its events alone', () => {
    const replay = [hello(frames, { from: 1, head }), ...events, { type: 'synced', seq: head }];
    expect(shown(applyAll(empty, replay as ServerFrame[]))).toEqual(shown(live));
  });

  test('is the same when it is cut after any frame and goes on there', () => {
    for (let cut = 1; cut < frames.length; cut += 1) {
      const before = applyAll(empty, frames.slice(0, cut));
      const rest = events.filter((event) => event.seq > before.seq);
      const again = [
        hello(frames, { from: before.seq + 1, head }),
        ...rest,
        { type: 'synced', seq: head },
      ];
      expect(shown(applyAll(before, again as ServerFrame[]))).toEqual(shown(live));
    }
  });

  test('stands as it stands when its end came first, and is the same with the rest of it', () => {
    const session = { ...hello(frames, {}).session, usage: usageOf(live) };
    for (let from = 2; from <= head; from += 1) {
      const tail = hello(frames, { mode: 'tail', from, head, session });
      let state = applyAll(empty, [tail, ...events.slice(from - 1), { type: 'synced', seq: head }]);
      const before = events.slice(0, from - 1);
      state = grounded(state, before.filter(({ type }) => STANDING.includes(type as never)));
      expect(stands(state)).toEqual({ ...stands(live), turn: state.turn !== null });
      expect(state.used).toEqual({ ...live.used, cached: null });
      while (state.oldest > 1) {
        const size = 3;
        state = earlier(
          state,
          events.slice(Math.max(0, state.oldest - 1 - size), state.oldest - 1),
        );
      }
      expect(shown(state)).toEqual(shown(live));
    }
  });
});

/** What the page tells of the session as a whole. */
function stands(state: SessionState): object {
  const { plan, plans, autoApproval, origin, ended, turn, lastUndo } = state;
  const jobs = state.entries.filter((entry) => entry.kind === 'job' && entry.state === 'running');
  return { plan, plans, autoApproval, origin, ended, lastUndo, jobs, turn: turn !== null };
}

const usageOf = ({ used }: SessionState) => ({
  ...{ input_tokens: used.input, output_tokens: used.output, cost_usd: used.cost },
});
