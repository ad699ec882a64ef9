// What the page asks of entries, and what one may do with a session.

import { describe, expect, test } from 'vitest';
import { failed, lastEnd, lastTurn } from '../../static/src/store/entries.ts';
import { applyAll } from '../../static/src/store/reduce.ts';
import { accessTo, drives, mayDelete, mayStop, owns, takesPart } from '../../static/src/store/rights.ts';
import { type SessionState, empty } from '../../static/src/store/state.ts';
import type { ServerFrame, Session } from '../../static/src/wire.ts';
import { event, hello } from './frames.ts';

const fold = (...frames: ServerFrame[]): SessionState => applyAll(empty, [hello(), ...frames]);

const ended = (seq: number, status: 'completed' | 'failed' | 'interrupted') =>
  event(seq, 'turn_ended', { turn: 't1', status });
const said = (seq: number, turn = 't1') =>
  event(seq, 'user_message', { turn, submission: `u${seq}`, text: 'Hi', author: 'dev' });
const undone = (seq: number) => event(seq, 'turn_undone', { turn: 't1', submission: 'x' });
const JOB = event(2, 'job_started', { ...{ turn: 't1', call: 'c1', job: 'j1', title: 'Train' } } as never);

describe('a turn', () => {
  test.each([
    ['nothing was said yet', [], false],
    ['it goes on', [said(1)], false],
    ['it failed', [said(1), ended(2, 'failed')], true],
    ['it was stopped', [said(1), ended(2, 'interrupted')], false],
    ['it was tried again', [said(1), ended(2, 'failed'), said(3, 't2')], false],
    ['it was undone', [said(1), ended(2, 'failed'), undone(3)], false],
    ['a notice came last', [said(1), event(2, 'notice', { turn: 't1', code: 'x', text: 'y' })], false],
  ] as [string, ServerFrame[], boolean][])('has failed, or not: %s', (_, frames, has) => {
    expect(failed(fold(...frames).entries)).toBe(has);
  });

  test('is over as its last end says', () => {
    expect(lastEnd(fold(said(1)))).toBeNull();
    expect(lastEnd(fold(said(1), ended(2, 'failed'), ended(3, 'completed')))).toMatchObject({ status: 'completed' });
  });

  test('can be taken back where it counts; a job is none', () => {
    expect(lastTurn(fold().entries)).toBeNull();
    expect(lastTurn(fold(said(1), JOB).entries)).toBe('t1');
    expect(lastTurn(fold(said(1), undone(2)).entries)).toBeNull();
  });
});

describe('what one may do', () => {
  const as = (access: NonNullable<Session['access']>) => ({ access });
  const may = (session: Parameters<typeof owns>[0]) =>
    [owns, drives, mayStop, mayDelete, takesPart].map((right) => right(session));

  test.each([
    ['owner', [true, true, true, true, true]],
    ['driver', [false, true, true, false, true]],
    ['operator', [false, false, true, true, false]],
    ['viewer', [false, false, false, false, true]],
  ] as const)('%s', (access, rights) => expect(may(as(access))).toEqual(rights));

  test('is the owner’s until something is known', () => {
    expect([accessTo(null), accessTo({} as Session)]).toEqual(['owner', 'owner']);
  });
});
