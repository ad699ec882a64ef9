// What was left for sessions that are not on screen: sent over HTTP, under its id, in order.

import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, test } from 'vitest';
import { Problem, problemOf } from '../../static/src/link/api.ts';
import { Kept, type KeptItem } from '../../static/src/link/kept.ts';
import type { Locks } from '../../static/src/link/locks.ts';
import { lockOf } from '../../static/src/link/outbox.ts';
import { Leftovers } from '../../static/src/session/leftovers.ts';
import type { Ways } from '../../static/src/session/ways.ts';
import type { Submission } from '../../static/src/wire.ts';
import { FakeWorld, settled } from './fake_world.ts';

let world: FakeWorld;
let kept: Kept;
let posted: string[];
let told: string[];
let answer: (frame: Submission) => void;
let onScreen: string;
let alive: Set<string>;
let dies: () => Promise<void>;

const say = (id: string): Submission => ({ type: 'user_input', id, text: id });

function item(frame: Submission, more: Partial<KeptItem> = {}): KeptItem {
  const [at, order] = [world.wall(), posted.length];
  return {
    ...{ id: frame.id, session: 's1', tab: 'a', order, at, frame, then: [], refused: null },
    ...more,
  };
}

const left = async () => (await kept.all()).map(({ id, refused }) => [id, refused?.code]);
const refuse = (status: number, code: string) => () => {
  throw new Problem(code, 'No.', status);
};

let leftovers: Leftovers;

beforeEach(() => {
  indexedDB = new IDBFactory();
  world = new FakeWorld();
  kept = new Kept((ms, run) => (setTimeout(run, ms), () => {}));
  posted = [];
  told = [];
  answer = () => {};
  onScreen = '';
  alive = new Set();
  dies = async () => {};
  const locks: Locks = {
    hold() {},
    whenFree(name, run) {
      dies = run;
      if (!alive.has(name)) void run();
      return () => {};
    },
  };
  const call = async (_: string, path: string, { body }: { body?: unknown } = {}) => {
    const frame = body as Submission;
    answer(frame);
    posted.push(`${path} ${frame.id}`);
    return { type: 'accepted', id: frame.id, seq: 1 };
  };
  const ways = { world, kept, locks, call, tab: 'a', tell: (code: string) => void told.push(code) };
  leftovers = new Leftovers(ways as unknown as Ways, (session) => session === onScreen);
});

test('it is sent and no longer kept', async () => {
  await kept.put(item(say('u1')));
  await kept.put(item(say('u2'), { order: 1, session: 's/2' }));
  await Promise.all([leftovers.send(), leftovers.send()]);
  expect(posted).toEqual(['/sessions/s1/submissions u1', '/sessions/s%2F2/submissions u2']);
  expect(await left()).toEqual([]);
});

test('what is on screen has an outbox of its own', async () => {
  await kept.put(item(say('u1')));
  onScreen = 's1';
  await leftovers.send();
  expect([posted, await left()]).toEqual([[], [['u1', undefined]]]);
});

test('what nobody takes now waits, and what follows it too', async () => {
  await kept.put(item(say('u1')));
  await kept.put(item(say('u2'), { order: 1 }));
  answer = refuse(503, 'unavailable');
  await leftovers.send();
  expect(await left()).toHaveLength(2);
  answer = () => {};
  await leftovers.send();
  expect(posted.map((each) => each.split(' ')[1])).toEqual(['u1', 'u2']);
});

test('one follows the other once that is accepted', async () => {
  const undo: Submission = { type: 'undo', id: 'd1' };
  await kept.put(item(undo, { then: [say('u1')] }));
  await leftovers.send();
  expect(posted.map((each) => each.split(' ')[1])).toEqual(['d1', 'u1']);
  expect(await left()).toEqual([]);
});

test.each([
  [say('u1'), [], 409, 'session_ended', [['u1', 'session_ended']]],
  [{ type: 'undo', id: 'd1' }, [say('u1')], 409, 'busy', [['u1', 'busy']]],
  [{ type: 'withdraw', id: 'w1', submission: 'q' }, [say('u1')], 409, 'not_queued', []],
  [{ type: 'compact', id: 'c1' }, [], 409, 'busy', []],
  [say('u1'), [], 404, 'no_such_session', []],
] as const)('a refusal leaves words and nothing else: %o', async (frame, then, status, code, is) => {
  await kept.put(item(frame, { then }));
  answer = refuse(status, code);
  await leftovers.send();
  answer = () => {};
  await leftovers.send();
  expect([await left(), posted]).toEqual([is, []]);
});

test('an old decision waits to be asked again', async () => {
  const decisions = [{ call: 'c1', decision: 'approve' }] as const;
  await kept.put(item({ type: 'approval', id: 'a1', decisions }));
  world.jump(600_001);
  await leftovers.send();
  expect([posted, await left()]).toEqual([[], [['a1', undefined]]]);
});

test('what another page has is left to it, until that page is gone', async () => {
  await kept.put(item(say('u1'), { tab: 'b' }));
  alive.add(lockOf('b'));
  await leftovers.send();
  await leftovers.send();
  expect(posted).toEqual([]);
  await dies();
  await settled();
  expect([posted.length, await left()]).toEqual([1, []]);
});

test('refusals over HTTP say what they say over the socket', () => {
  const refused = { type: 'refused', id: 'u1', code: 'busy', message: 'Busy.', retry_after: 2 };
  expect(problemOf(409, refused)).toMatchObject({ code: 'busy', message: 'Busy.', retryAfter: 2 });
  const error = { error: { code: 'too_large', message: 'Large.', retry_after: null } };
  expect(problemOf(413, error)).toMatchObject({ code: 'too_large', retryAfter: null });
  expect(problemOf(502, '<html>')).toMatchObject({ code: 'unexpected', status: 502 });
});
