// One session's state after its frames: the rules of the contract, case by case.

import { describe, expect, test } from 'vitest';
import { applyAll } from '../../static/src/store/reduce.ts';
import { asking, lastTurn, phase, working } from '../../static/src/store/entries.ts';
import { type SessionState, empty } from '../../static/src/store/state.ts';
import type { ServerFrame, Status } from '../../static/src/wire.ts';
import { AT, delta, event, hello, log, synced } from './frames.ts';

const fold = (...frames: ServerFrame[]): SessionState => applyAll(empty, [hello(), ...frames]);
const unknown = (fields: object): ServerFrame => fields as unknown as ServerFrame;

const USER = event(1, 'user_message', { turn: 't1', submission: 'u1', text: 'Hi', author: 'dev' });
const ENDED = event(2, 'turn_ended', { turn: 't1', status: 'completed' });
const CALL = event(1, 'tool_call', {
  ...{ turn: 't1', call: 'c1', tool: 'bash', arguments: { command: 'ls' }, effect: 'execute' },
});
const ASKED = event(2, 'approval_required', {
  turn: 't1',
  calls: [{ call: 'c1', tool: 'bash', arguments: { command: 'ls' }, reason: 'asks' }],
});
const RULED = event(3, 'approval_resolved', {
  ...{ turn: 't1', by: 'ann', submission: 'a1' },
  decisions: [{ call: 'c1', decision: 'approve', arguments: { command: 'pwd' } }],
});
const REJECTED = event(3, 'approval_resolved', {
  ...{ turn: 't1', by: 'ann', submission: 'a1' },
  decisions: [{ call: 'c1', decision: 'reject', feedback: 'No.' }],
});
const STARTED = event(4, 'tool_started', { turn: 't1', call: 'c1' });
const output = (seq: number, status: string) =>
  event(seq, 'tool_output', {
    ...{ turn: 't1', call: 'c1', output: 'a', truncated: false, size: 1, seconds: 0.1 },
    status: status as 'ok',
  });
const said = (seq: number, text: string, reasoning = '') =>
  event(seq, 'assistant_message', { turn: 't1', item: 'i1', text, reasoning });
const status = (queue: Status['queue'], state: Status['state'] = 'running'): Status => ({
  ...{ type: 'status', state, queue, held: false, context: { used: 1, limit: 2 }, viewers: 1 },
});

describe('an open text', () => {
  const shownOf = (state: SessionState) => {
    const entry = state.entries.find((e) => e.kind === 'assistant');
    return [state.open.get('m:i1')?.text.text ?? entry?.text, entry?.open];
  };

  test.each([
    ['deltas join', [delta(0, 'Hel'), delta(3, 'lo')], 'Hello', true],
    ['old news is old', [delta(0, 'Hello'), delta(1, 'el')], 'Hello', true],
    ['overlap cuts no emoji', [delta(0, 'a😀'), delta(1, '😀b')], 'a😀b', true],
    ['the event decides', [delta(0, 'Hel'), said(1, 'Hello')], 'Hello', false],
    ['closed stays closed', [said(1, 'Hello'), delta(5, '!')], 'Hello', false],
    [
      ...[
        'after a reconnect the server says it anew',
        [delta(0, 'Hello wor'), hello(), delta(0, 'Hello')],
      ],
      ...['Hello', true],
    ] as [string, ServerFrame[], string, boolean],
    ['it stays to be read until then', [delta(0, 'Hello'), hello()], 'Hello', true],
  ] as [string, ServerFrame[], string, boolean][])('%s', (_, frames, text, open) => {
    const state = fold(...frames);
    expect(shownOf(state)).toEqual([text, open]);
    expect(state.fault).toBeNull();
  });

  test('deltas leave the entries as they are, but for the first', () => {
    const before = fold(USER, delta(0, 'Hel'));
    const after = applyAll(before, [
      delta(3, 'lo'),
      { ...delta(0, 'Hm'), type: 'reasoning_delta' },
    ]);
    expect(after.entries).toBe(before.entries);
    expect(after.open.get('m:i1')).toMatchObject({
      text: { text: 'Hello' },
      reasoning: { text: 'Hm' },
    });
  });

  test('what was not sent again by `synced` is open no more', () => {
    const state = fold(delta(0, 'Hello'), log(0, 'a log'), hello(), synced(0));
    expect([state.entries, state.open.size]).toEqual([[], 0]);
  });

  test('reasoning that was not sent again goes, the text stays', () => {
    const thought = { ...delta(0, 'Hm'), type: 'reasoning_delta' } as const;
    const state = fold(thought, delta(0, 'So'), hello(), delta(0, 'So'), synced(0));
    expect(state.open.get('m:i1')).toMatchObject({ text: { text: 'So' }, reasoning: { text: '' } });
  });

  test('what comes while it is open comes before it, as in a replay', () => {
    const note = event(1, 'notice', { code: 'x', text: 'y' });
    const keys = (state: SessionState) => state.entries.map((entry) => entry.key);
    expect(keys(fold(delta(0, 'So'), note))).toEqual(['e:1', 'm:i1']);
    expect(keys(fold(delta(0, 'So'), note, said(2, 'So')))).toEqual(
      keys(fold(note, said(2, 'So'))),
    );
  });

  test('a half sentence that no event kept goes with its turn', () => {
    const state = fold(USER, delta(0, 'I was ab'), ENDED);
    expect(state.entries.map((entry) => entry.kind)).toEqual(['user']);
    expect(state.open.size).toBe(0);
  });

  test('a reply of calls alone is nothing to read', () => {
    expect(fold(said(1, '')).entries).toEqual([]);
    expect(fold(said(1, '', 'Hm')).entries).toHaveLength(1);
  });
});

describe('a broken promise', () => {
  test.each([
    ['dense numbers', [USER, ENDED], null],
    ['a number is missing', [ENDED], 'gap'],
    ['a number comes twice', [USER, USER], 'gap'],
    ['a text begins in the middle', [delta(3, 'lo')], 'hole'],
    ['a log begins in the middle', [log(3, 'lo')], 'hole'],
    ['less came than was promised', [USER, synced(2)], 'gap'],
    ['the replay begins too late', [hello(5)], 'gap'],
    ['a log says what it left out', [log(70, 'x', 70)], null],
    ['unknown events still count', [unknown({ type: 'later', seq: 1, at: AT }), ENDED], null],
    ['unknown frames are ignored', [unknown({ type: 'later' })], null],
    ['a name that every object has is no rule', [unknown({ type: 'constructor' })], null],
    ['nor is it as an event', [unknown({ type: 'constructor', seq: 1, at: AT }), ENDED], null],
    ['a status of a tool that we do not know', [CALL, output(2, 'melted')], null],
  ] as [string, ServerFrame[], string | null][])('%s', (_, frames, fault) => {
    expect(fold(...frames).fault).toBe(fault);
  });

  test('nothing is taken in until the server begins anew', () => {
    const state = fold(USER, USER, ENDED, delta(0, 'x'));
    expect([state.seq, state.fault, state.open.size]).toEqual([1, 'gap', 0]);
    const again = applyAll(state, [hello(2), ENDED, synced(2)]);
    expect([again.seq, again.fault, again.synced]).toEqual([2, null, true]);
  });
});

describe('a card', () => {
  test.each([
    ['called', [CALL], 'queued', 'ls'],
    ['asked', [CALL, ASKED], 'asks', 'ls'],
    ['approved with other arguments', [CALL, ASKED, RULED], 'queued', 'pwd'],
    ['rejected', [CALL, ASKED, REJECTED], 'rejected', 'ls'],
    ['running', [CALL, ASKED, RULED, STARTED], 'running', 'pwd'],
    ['done', [CALL, output(2, 'ok')], 'ok', 'ls'],
    ['of unknown outcome', [CALL, output(2, 'unknown')], 'unknown', 'ls'],
    ['of an outcome we do not know', [CALL, output(2, 'melted')], 'unknown', 'ls'],
  ] as [string, ServerFrame[], string, string][])('%s', (_, frames, state, command) => {
    const [card] = fold(...frames).entries;
    expect(card).toMatchObject({ kind: 'tool', state, arguments: { command } });
  });

  test('knows who ruled, and what the model had proposed', () => {
    const [card] = fold(CALL, ASKED, RULED).entries;
    expect(card).toMatchObject({ ruling: { by: 'ann' }, proposed: { command: 'ls' } });
  });

  test('its log grows beside it and goes with its output', () => {
    const before = fold(CALL, log(0, 'one'));
    const grown = applyAll(before, [log(3, ' two')]);
    expect(grown.entries).toBe(before.entries);
    expect(grown.open.get('c:c1')?.text.text).toBe('one two');
    const closed = applyAll(grown, [output(2, 'ok'), log(0, 'late')]);
    expect(closed.open.size).toBe(0);
  });

  test('those that ask are found', () => {
    expect(asking(fold(CALL, ASKED).entries).map((card) => card.call)).toEqual(['c1']);
  });
});

describe('the queue', () => {
  const queued = event(1, 'input_queued', {
    ...{ submission: 'q1', text: 'Wait', delivery: 'queue', author: 'dev', attachments: ['a.csv'] },
  });

  test('keeps what the log knows of what the status names', () => {
    const state = fold(
      queued,
      synced(1),
      status([{ submission: 'q1', text: 'Wait', delivery: 'queue' }]),
    );
    expect(state.queued).toMatchObject([
      { submission: 'q1', author: 'dev', attachments: ['a.csv'] },
    ]);
  });

  test('is what the status says where the log is too short', () => {
    const state = fold(synced(0), status([{ submission: 'q0', text: 'Old', delivery: 'steer' }]));
    expect(state.queued).toMatchObject([{ submission: 'q0', author: null, attachments: [] }]);
  });

  test('loses what is withdrawn and what begins', () => {
    expect(
      fold(queued, event(2, 'input_withdrawn', { submission: 'q1', by: 'dev' })).queued,
    ).toEqual([]);
    expect(fold(queued, { ...USER, seq: 2, submission: 'q1' }).queued).toEqual([]);
  });
});

test('the steps of a research gather at its card, also where its beginning is further back', () => {
  const step = (seq: number, name: string) =>
    event(seq, 'step', {
      ...{ turn: 't1', call: 'c1', step: name, tool: 'web_search', arguments: {} },
      ...{ status: 'ok' as const, output: 'Found.', seconds: 0.1 },
    });
  const { entries } = fold(CALL, step(2, 's1'), step(3, 's2'), output(4, 'ok'));
  expect(entries).toMatchObject([
    { tool: 'bash', state: 'ok', steps: [{ step: 's1' }, { step: 's2' }] },
  ]);
  expect(fold(step(1, 's1')).entries).toMatchObject([{ tool: '?', steps: [{ step: 's1' }] }]);
});

describe('undo', () => {
  const plan = (seq: number, turn: string) =>
    event(seq, 'plan_updated', { turn, items: [{ id: '1', content: turn, status: 'pending' }] });

  test('takes the plan along, and brings back the one before', () => {
    const undone = event(3, 'turn_undone', { turn: 't2', submission: 'x' });
    expect(fold(plan(1, 't1'), plan(2, 't2'), undone).plan.map((item) => item.content)).toEqual([
      't1',
    ]);
  });

  test('marks what a retry says again', () => {
    const undone = event(2, 'turn_undone', { turn: 't1', submission: 'r1' });
    const again = { ...USER, seq: 3, turn: 't2', submission: 'r1' };
    const { entries } = fold(USER, undone, again);
    expect(entries).toMatchObject([{ undone: 'r1', retried: true }, { turn: 't2' }]);
    expect(entries[1]?.undone).toBeUndefined();
    expect(lastTurn(entries)).toBe('t2');
  });
});

describe('a hello', () => {
  const late = event(7, 'user_message', {
    turn: 't9',
    submission: 'u9',
    text: 'Later',
    author: 'dev',
  });

  test('with a tail replaces what was there', () => {
    const state = fold(USER, hello(7, 'tail', 'M'), late, synced(7));
    expect(state.entries).toMatchObject([{ text: 'Later' }]);
    expect([state.oldest, state.log, state.synced]).toEqual([7, 'M', true]);
  });

  test('of another generation of the log begins anew', () => {
    const state = fold(USER, hello(1, 'replay', 'M'));
    expect([state.entries, state.seq, state.log]).toEqual([[], 0, 'M']);
  });

  test('of a tail tells what was used in all, and later usage is added', () => {
    const usage = (seq: number) =>
      event(seq, 'usage', {
        ...{ model: 'm', input_tokens: 10, output_tokens: 2, cached_tokens: 1, cost_usd: 0.25 },
        purpose: 'main',
      });
    const state = fold(hello(8, 'tail', 'L', 9), usage(8), usage(9), usage(10));
    expect(state.used).toEqual({ input: 1010, output: 202, cached: null, cost: 0.75 });
  });

  test('keeps what was there where it goes on', () => {
    const before = fold(USER);
    const state = applyAll(before, [hello(2)]);
    expect([state.entries, state.synced, state.status]).toEqual([before.entries, false, null]);
  });
});

test('what a session does is what its last status says, or the session itself', () => {
  expect([phase(empty), phase(fold()), phase(fold(status([], 'awaiting_approval')))]).toEqual([
    ...['idle', 'idle', 'awaiting_approval'],
  ]);
  expect([working(fold()), working(fold(status([])))]).toEqual([false, true]);
});

test('titles, models and approval by itself are kept', () => {
  const state = fold(
    event(1, 'session_created', {
      model: 'a',
      title: '',
      forked_from: { session: 's0', turn: 't0' },
    }),
    event(2, 'session_updated', { by: 'mooring', title: 'A talk' }),
    event(3, 'session_updated', { by: 'dev', model: 'b' }),
    event(4, 'session_updated', {
      by: 'dev',
      auto_approval: { enabled: true, cost_cap_usd: null },
    }),
  );
  expect(state.session).toMatchObject({ title: 'A talk', model: 'b' });
  expect([state.origin?.session, state.autoApproval?.enabled]).toEqual(['s0', true]);
  expect(state.entries.map((entry) => entry.kind)).toEqual(['note', 'note']);
});
