// Jobs, questions and other things that outlast a call, as their events tell of them.

import { describe, expect, test } from 'vitest';
import { earlier, grounded } from '../../static/src/store/earlier.ts';
import { applyAll } from '../../static/src/store/reduce.ts';
import { type SessionState, empty } from '../../static/src/store/state.ts';
import type { DurableEvent, ServerFrame, Status } from '../../static/src/wire.ts';
import { delta, event, hello, log, synced } from './frames.ts';

const fold = (...frames: ServerFrame[]): SessionState => applyAll(empty, [hello(), ...frames]);
const of = (seq: number, type: DurableEvent['type'], fields: object): DurableEvent => event(seq, type, fields as never);

const started = (seq: number, more: object = {}) => of(seq, 'job_started', { turn: 't1', job: 'j1', title: 'Train', ...more });
const over = (seq: number, more: object = {}) =>
  of(seq, 'job_ended', { job: 'j1', status: 'ok', output: 'loss 0.1', seconds: 2, ...more });
const jobLog = (text: string): ServerFrame => ({ ...log(0, text), call: 'j1' });

describe('a job', () => {
  test('is what its beginning says of it, as far as that is known', () => {
    const told = { url: 'https://hub.example/j1', hardware: 'a10g', estimated_cost_usd: 1.5 };
    expect(fold(started(1, told)).entries).toMatchObject([{ state: 'running', hardware: 'a10g', url: told.url, cost: 1.5 }]);
    expect(fold(started(1)).entries).toEqual([expect.objectContaining({ url: undefined, hardware: undefined, cost: null })]);
  });

  test('keeps at its end what was known, and costs what it cost', () => {
    const whole = fold(started(1, { url: 'https://hub.example/j1', estimated_cost_usd: 9 }), over(2, { cost_usd: 0.5 }));
    expect(whole.entries).toMatchObject([{ title: 'Train', state: 'ok', url: 'https://hub.example/j1', cost: 0.5 }]);
    expect(fold(started(1), over(2, { url: 'https://hub.example/late' })).entries).toMatchObject([
      { url: 'https://hub.example/late', cost: null },
    ]);
  });

  test('of which only the end is here has its id for a name', () => {
    expect(fold(over(1)).entries).toMatchObject([{ kind: 'job', key: 'c:j1', title: 'j1', state: 'ok' }]);
  });

  test('prints until it is over', () => {
    const running = fold(started(1), jobLog('epoch 1'));
    expect(running.open.get('c:j1')?.text.text).toBe('epoch 1');
    expect(applyAll(running, [over(2), jobLog('late')]).open.size).toBe(0);
  });
});

describe('a question of a server of tools', () => {
  const asked = (seq: number, question: string, message = 'Which?') =>
    of(seq, 'question_asked', { turn: 't1', call: 'c1', question, server: 'shop', message });
  const answered = (seq: number, question: string) =>
    of(seq, 'question_answered', { turn: 't1', call: 'c1', question, action: 'accept', by: 'dev' });

  test('stands once at its call, and only its own answer closes it', () => {
    const { entries } = fold(asked(1, 'q1'), asked(2, 'q2'), asked(3, 'q1', 'Which one?'), answered(4, 'q2'));
    expect(entries).toMatchObject([
      { questions: [{ asked: { question: 'q2' }, answer: { action: 'accept' } }, { asked: { message: 'Which one?' } }] },
    ]);
  });

  test('whose call is not here has no answer to show', () => {
    expect(fold(answered(1, 'q1')).entries).toMatchObject([{ tool: '?', questions: [] }]);
  });
});

describe('an event', () => {
  test('before any greeting changes no session', () => {
    const frames = [of(1, 'session_created', { model: 'a', title: '' }), of(2, 'session_updated', { by: 'dev', title: 'T' })];
    expect(applyAll(empty, frames)).toMatchObject({ session: null, seq: 2 });
  });

  test('without a turn is a note of its own', () => {
    const retrying = { attempt: 1, of: 3, wait_seconds: 1, error: { code: 'x', message: 'y' } };
    const { entries } = fold(of(1, 'retrying', { turn: null, ...retrying }), of(2, 'retrying', { turn: 't1', ...retrying }));
    expect(entries.map(({ key, turn }) => [key, turn])).toEqual([['r:1', undefined], ['r:t1', 't1']]);
  });

  test('that undoes a turn leaves what is being written of another', () => {
    const state = fold(
      of(1, 'user_message', { turn: 't0', submission: 'u0', text: 'Hi', author: 'dev' }),
      delta(0, 'So'),
      of(2, 'turn_undone', { turn: 't0', submission: 'x' }),
    );
    expect(state.entries).toMatchObject([{ undone: 'x' }, { open: true }]);
    expect(state.entries[1]?.undone).toBeUndefined();
  });
});

test('a text that was not sent again goes, its reasoning stays', () => {
  const thought = { ...delta(0, 'Hm'), type: 'reasoning_delta' } as const;
  const state = fold(thought, delta(0, 'So'), hello(), thought, synced(0));
  expect(state.open.get('m:i1')).toMatchObject({ text: { text: '' }, reasoning: { text: 'Hm' } });
});

describe('what came before a tail', () => {
  const tail = (...frames: ServerFrame[]) => applyAll(empty, [hello(3, 'tail', 'L', 3), ...frames]);
  const BEFORE = [started(1), of(2, 'notice', { code: 'x', text: 'y' })];
  const LAST = of(3, 'notice', { code: 'z', text: 'y' });

  test('is put before it, also where nothing is known of what stands', () => {
    expect(earlier(tail(LAST), BEFORE).entries.map(({ key }) => key)).toEqual(['c:j1', 'e:2', 'e:3']);
  });

  test('is not taken where it does not end right before it', () => {
    const state = tail(LAST);
    expect(earlier(state, BEFORE.slice(0, 1))).toBe(state);
    expect(earlier(state, [])).toBe(state);
  });

  test('shows the jobs that go on, and none that is over', () => {
    expect(grounded(tail(LAST), [started(1)]).entries.map(({ key }) => key)).toEqual(['c:j1', 'e:3']);
    expect(grounded(tail(LAST), [started(1), over(2)]).entries.map(({ key }) => key)).toEqual(['e:3']);
  });

  test('keeps what the server says waits, and says whose it is', () => {
    const queue: Status['queue'] = ['q1', 'q2'].map((submission) => ({ submission, text: 'Wait', delivery: 'queue' }));
    const status = { type: 'status', state: 'running', queue, held: false, context: { used: 1, limit: 2 }, viewers: 1 } as Status;
    const queued = of(2, 'input_queued', { submission: 'q1', text: 'Wait', delivery: 'queue', author: 'ann' });
    const { queued: waits } = earlier(tail(LAST, status), [started(1), queued]);
    expect(waits).toMatchObject([{ submission: 'q1', author: 'ann' }, { submission: 'q2', author: null }]);
  });
});
