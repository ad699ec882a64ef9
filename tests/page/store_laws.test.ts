// Laws that hold for any frames, also for such as no server would send.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { earlier } from '../../static/src/store/earlier.ts';
import { apply, applyAll } from '../../static/src/store/reduce.ts';
import { type SessionState, empty } from '../../static/src/store/state.ts';
import type { DurableEvent, ServerFrame } from '../../static/src/wire.ts';
import { AT, hello, isEvent, synced } from './frames.ts';

type Raw = Record<string, unknown>;

const turn = fc.constantFrom('t1', 't2', 't3');
const item = fc.constantFrom('i1', 'i2', 'i3');
const call = fc.constantFrom('c1', 'c2', 'c3');
const name = fc.constantFrom('u1', 'u2', 'u3', 'u4');
const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const args = fc.constantFrom({}, { command: 'ls' }, { command: 'pwd' });
const of = (type: string, fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ type: fc.constant(type), ...fields }) as fc.Arbitrary<Raw>;

const decision = fc.record(
  { call, decision: fc.constantFrom('approve', 'reject'), arguments: args },
  { requiredKeys: ['call', 'decision'] },
);
const amounts = { input_tokens: fc.nat(9), output_tokens: fc.nat(9), cached_tokens: fc.nat(9) };
const durable = fc.oneof(
  of('input_queued', { submission: name, text, delivery: fc.constant('queue'), author: text }),
  of('input_withdrawn', { submission: name, by: text }),
  of('user_message', { turn, submission: name, text, author: text }),
  of('turn_started', { turn, submission: name, model: text }),
  of('assistant_message', { turn, item, text, reasoning: text, partial: fc.boolean() }),
  of('tool_call', { turn, call, tool: text, arguments: args, effect: fc.constant('read') }),
  of('approval_required', {
    turn,
    calls: fc.array(fc.record({ call, tool: text, arguments: args, reason: text })),
  }),
  of('approval_resolved', { turn, by: text, submission: name, decisions: fc.array(decision) }),
  of('tool_started', { turn, call }),
  of('tool_output', {
    ...{ turn, call, status: fc.constantFrom('ok', 'error', 'melted'), output: text },
    ...{ truncated: fc.boolean(), size: fc.nat(9), seconds: fc.nat(9) },
  }),
  of('step', {
    ...{ turn, call, step: name, tool: text, arguments: args, output: text },
    ...{ status: fc.constantFrom('ok', 'melted'), seconds: fc.nat(9) },
  }),
  of('plan_updated', { turn, items: fc.constant([]) }),
  of('usage', { ...amounts, cost_usd: fc.constantFrom(null, 1, 2), purpose: fc.constant('main') }),
  of('retrying', { turn, attempt: fc.nat(3) }),
  of('notice', { code: text, text }),
  of('compacted', { summary: text }),
  of('turn_undone', { turn, submission: name }),
  of('session_updated', { by: text, model: text }),
  of('turn_ended', { turn, status: fc.constantFrom('completed', 'failed') }),
  of('session_ended', { reason: text }),
  of('made_up_later', { text }),
);
const live = fc.oneof(
  of('text_delta', { turn, item, offset: fc.nat(4), text }),
  of('reasoning_delta', { turn, item, offset: fc.nat(4), text }),
  of('tool_log', { turn, call, offset: fc.nat(4), text, skipped: fc.nat(4) }),
  of('made_up_later', { text }),
);

/** Events are numbered without a hole; deltas may leave one. */
const frames = fc
  .array(
    fc.oneof(
      durable.map((raw) => ({ ...raw, seq: 0, at: AT })),
      live,
    ),
    { maxLength: 60 },
  )
  .map((raws) => {
    let seq = 0;
    const numbered = raws.map((raw) => ('seq' in raw ? { ...raw, seq: (seq += 1) } : raw));
    return numbered as unknown as ServerFrame[];
  });

const begin = apply(empty, hello());
/** Without the holes, after which nothing would be taken in. */
const whole = (those: readonly ServerFrame[]): SessionState =>
  those.reduce((state, frame) => {
    const next = apply(state, frame);
    return next.fault === null ? next : state;
  }, begin);
const eventsOf = (those: readonly ServerFrame[]): DurableEvent[] => those.filter(isEvent);
const replayed = (events: readonly DurableEvent[]): SessionState =>
  applyAll(empty, [hello(), ...events, synced(events.length)]);
const shown = ({ entries, open, plan, queued, used, turn, ended, seq }: SessionState) => ({
  ...{ entries, open, plan, queued, used, turn, ended, seq },
});

test('a batch is its frames, one by one', () => {
  fc.assert(
    fc.property(frames, fc.nat(60), (all, cut) => {
      const halves = applyAll(applyAll(begin, all.slice(0, cut)), all.slice(cut));
      expect(applyAll(begin, all)).toEqual(all.reduce(apply, begin));
      expect(halves).toEqual(applyAll(begin, all));
    }),
  );
});

/** Whoever writes to it, or to anything in it, throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) {
    const refuse = (): never => {
      throw new TypeError('a map of a state is written to');
    };
    for (const inner of value.values()) frozen(inner);
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
  }
  Object.freeze(value);
  Object.values(value).forEach(frozen);
  return value;
}

test('neither a state nor a frame is changed by what comes after it', () => {
  fc.assert(
    fc.property(frames, fc.nat(60), (all, cut) => {
      frozen(all).reduce((state, frame) => {
        const next = apply(frozen(state), frame);
        return next.fault === null ? next : state;
      }, begin);
      const events = eventsOf(all);
      const from = Math.min(cut, events.length) + 1;
      const tail = [hello(from, 'tail', 'L', 0), ...events.slice(from - 1), synced(events.length)];
      const half = frozen(applyAll(frozen(applyAll(begin, all.slice(0, cut))), all.slice(cut)));
      expect(half.seq).toBeGreaterThanOrEqual(0);
      earlier(frozen(applyAll(empty, frozen(tail) as ServerFrame[])), events.slice(0, from - 1));
    }),
  );
});

test('what came live, once it has settled, is what a replay shows', () => {
  fc.assert(
    fc.property(frames, (all) => {
      const events = eventsOf(all);
      const { seq } = whole(all);
      const settled = applyAll(whole(all), [hello(seq + 1), synced(seq)]);
      expect(shown(settled)).toEqual(shown(replayed(events)));
    }),
  );
});

test('entries have keys of their own, open ones are last, and only theirs are open texts', () => {
  fc.assert(
    fc.property(frames, (all) => {
      const { entries, open } = whole(all);
      const isOpen = entries.map((entry) => entry.kind === 'assistant' && entry.open);
      expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
      expect(isOpen).toEqual([...isOpen].sort((a, b) => Number(a) - Number(b)));
      const keys = entries.filter((_, place) => isOpen[place]).map(({ key }) => key);
      expect([...open.keys()].filter((key) => key.startsWith('m:')).sort()).toEqual(keys.sort());
    }),
  );
});

test('older pages give what one replay would have', () => {
  fc.assert(
    fc.property(frames, fc.nat(60), (all, cut) => {
      const events = eventsOf(all);
      const from = Math.min(cut, events.length) + 1;
      // A tail's sums are the session's: here the session used nothing before.
      const tail = [hello(from, 'tail', 'L', 0), ...events.slice(from - 1), synced(events.length)];
      const state = earlier(applyAll(empty, tail as ServerFrame[]), events.slice(0, from - 1));
      const { used: _, ...rest } = shown(state);
      expect(shown(replayed(events))).toMatchObject(rest);
      expect(state.oldest).toBe(1);
    }),
  );
});
