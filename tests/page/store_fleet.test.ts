// The list of sessions, from pages over HTTP and the dashboard's frames.

import { expect, test } from 'vitest';
import { board, drop, listed, noFleet, put } from '../../static/src/store/fleet.ts';
import type { Fleet, Row, Session } from '../../static/src/wire.ts';
import { SESSION } from './frames.ts';

const session = (id: string, minute: number, head = 1): Session => ({
  ...SESSION,
  ...{ id, head, active_at: `2026-11-20T19:0${minute}:00.000Z` },
});
const row = (id: string, minute: number, head = 1): Row => ({
  ...session(id, minute, head),
  ...{ activity: null, turn_seconds: null, tokens_per_second: 0, viewers: 0 },
  context: { used: 0, limit: 1 },
});
const frame = (sessions: readonly Row[], more: Partial<Fleet> = {}): Fleet => ({
  ...{ type: 'fleet', full: false, sessions, gone: [] },
  totals: {
    ...{ sessions: { live: 1, running: 0, awaiting_approval: 0, stored: 1 }, viewers: 0 },
    ...{ tokens_per_second: 0, turns_per_minute: 0, errors_per_minute: 0 },
    ...{ cost_usd_today: 0, loop_lag_ms: 0, memory_mib: 0 },
  },
  ...more,
});
const all = () => true;
const ids = (fleet: { sessions: readonly Session[] }) => fleet.sessions.map(({ id }) => id);
const three = listed(noFleet, [session('a', 1), session('b', 3), session('c', 2)], false);

test('the newest activity is first', () => {
  expect(ids(three)).toEqual(['b', 'c', 'a']);
  expect(ids(board(three, frame([row('a', 5)]), all))).toEqual(['a', 'b', 'c']);
  expect(ids(put(three, session('d', 4)))).toEqual(['d', 'b', 'c', 'a']);
});

test('a page more stands behind, another list in its place', () => {
  expect(ids(listed(three, [session('z', 0)], true))).toEqual(['b', 'c', 'a', 'z']);
  expect(ids(listed(three, [session('z', 0)], false))).toEqual(['z']);
});

test('what does not belong into the list is known all the same', () => {
  const fleet = board(three, frame([row('x', 9), row('a', 1, 2)]), (r) => r.owner === 'nobody');
  expect(ids(fleet)).toEqual(['b', 'c', 'a']);
  expect([...fleet.rows.keys()]).toEqual(['x', 'a']);
});

test('a page does not bring back what the socket knows better', () => {
  const fleet = board(three, frame([row('a', 5, 7)]), all);
  expect(listed(fleet, [session('a', 1, 3)], false).sessions[0]?.head).toBe(7);
});

test('what is gone is gone', () => {
  const fleet = board(
    board(three, frame([row('a', 1)]), all),
    frame([], { gone: ['a', 'b'] }),
    all,
  );
  expect([ids(fleet), fleet.rows.size]).toEqual([['c'], 0]);
  expect(ids(drop(three, 'c'))).toEqual(['b', 'a']);
});

test('a full frame begins the rows anew', () => {
  const fleet = board(
    board(three, frame([row('x', 1)]), all),
    frame([row('a', 1)], { full: true }),
    all,
  );
  expect([...fleet.rows.keys()]).toEqual(['a']);
});

test('a heartbeat changes nothing', () => {
  expect(board(three, { type: 'heartbeat', at: SESSION.created_at }, all)).toBe(three);
});
