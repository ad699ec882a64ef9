// The list of sessions, drafts, and who is asking: against answers that the test gives.

import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '../../static/src/link/api.ts';
import { Kept } from '../../static/src/link/kept.ts';
import { without } from '../../static/src/link/locks.ts';
import { Drafts } from '../../static/src/session/drafts.ts';
import { exportHref, fileHref, filesOf } from '../../static/src/session/files.ts';
import { Myself } from '../../static/src/session/me.ts';
import { Sessions, UNDO_MS } from '../../static/src/session/sessions.ts';
import type { Ways } from '../../static/src/session/ways.ts';
import { FakeWorld, settled } from './fake_world.ts';
import { SESSION } from './frames.ts';

interface Asked {
  readonly body?: unknown;
  readonly key?: string;
  readonly keepalive?: boolean;
}

let world: FakeWorld;
let told: string[];
let calls: { what: string; asked: Asked }[];
let answers: Record<string, () => unknown>;
let ways: Ways;

const named = (id: string, title = id) => ({ ...SESSION, id, title });
const page =
  (...ids: string[]) =>
  () => ({ sessions: ids.map((id) => named(id)), next_cursor: null });
const refuse =
  (status: number, code = 'x') =>
  () => {
    throw new Problem(code, 'No.', status);
  };
const whats = () => calls.map(({ what }) => what);

beforeEach(() => {
  indexedDB = new IDBFactory();
  world = new FakeWorld();
  told = [];
  calls = [];
  answers = { 'GET /sessions': page('a', 'b') };
  const call = async (method: string, path: string, asked: Asked = {}) => {
    const what = `${method} ${path.split('?')[0]}`;
    calls.push({ what: `${method} ${path}`, asked });
    return answers[what]?.() ?? null;
  };
  const kept = new Kept((ms, run) => (setTimeout(run, ms), () => {}));
  const tell = (code: string) => void told.push(code);
  ways = { world, kept, locks: without, call: call as Ways['call'], tab: 'a', tell };
});

describe('the list', () => {
  let sessions: Sessions;
  const ids = () => sessions.list.value.map(({ id }) => id);
  const row = (id: string, owner = 'dev') => ({
    access: owner === 'dev' ? 'owner' : 'operator',
    ...named(id),
    ...{ owner, activity: null, turn_seconds: null, tokens_per_second: 0, viewers: 0 },
    context: { used: 0, limit: 1 },
  });
  const fleet = (...rows: object[]) => ({
    type: 'fleet',
    full: false,
    sessions: rows,
    totals: null,
  });

  beforeEach(async () => {
    sessions = new Sessions(ways);
    sessions.open();
    await settled();
    calls = [];
  });

  test('is there, and hears of mine over the socket', () => {
    world.last.says({ ...fleet(row('c'), row('x', 'ann')), full: false });
    expect(ids().sort()).toEqual(['a', 'b', 'c']);
    expect([...sessions.rows.value.keys()]).toEqual(['c', 'x']);
    expect([sessions.loaded.value, sessions.link.value.phase]).toEqual([true, 'settled']);
  });

  test('is asked for anew when the socket comes back', () => {
    world.last.says({ ...fleet(), full: true });
    expect(whats()).toEqual(['GET /sessions?limit=50&q=&cursor=']);
  });

  test('that could not be had at first is asked for until it is there', async () => {
    sessions.close();
    const late = new Sessions(ways);
    answers['GET /sessions'] = refuse(503);
    late.open();
    await settled();
    world.last.says(fleet());
    world.pass(15_000);
    await settled();
    expect([late.loaded.value, told]).toEqual([false, ['x']]);
    answers['GET /sessions'] = page('a');
    world.last.says({ ...fleet(), full: true });
    await settled();
    expect([late.loaded.value, late.list.value.length]).toEqual([true, 1]);
    late.close();
  });

  test('is asked for now and then while the socket is away and somebody looks', async () => {
    world.last.closes(1006);
    await settled();
    world.isHidden = true;
    world.pass(15_000);
    expect(whats()).toEqual([]);
    world.isHidden = false;
    world.pass(15_000);
    expect(whats()).toHaveLength(1);
    sessions.close();
    world.pass(60_000);
    expect(whats()).toHaveLength(1);
  });

  test('of a search is what was asked for last', async () => {
    let first: (value: unknown) => void = () => {};
    answers['GET /sessions'] = () => new Promise((resolve) => (first = resolve));
    const old = sessions.search('old');
    answers['GET /sessions'] = page('n');
    const fresh = sessions.search('new & old');
    expect(await fresh).toBe(true);
    first(page('o')());
    expect(await old).toBe(false);
    expect([ids(), sessions.query.value]).toEqual([['n'], 'new & old']);
    expect(whats()[1]).toContain('q=new+%26+old');
    world.last.says(fleet(row('c')));
    expect(ids()).toEqual(['n']);
    answers['GET /sessions'] = refuse(0, 'offline');
    expect(await sessions.search('away')).toBe(false);
    world.last.says(fleet(row('c'), row('x', 'ann')));
    expect(sessions.mine.value.map(({ id }) => id)).toEqual(['c', 'n']);
  });

  test('of a search is the answer, too, where the same is asked anew meanwhile', async () => {
    let first: (value: unknown) => void = () => {};
    answers['GET /sessions'] = () => new Promise((resolve) => (first = resolve));
    const found = sessions.search('owl');
    answers['GET /sessions'] = page('n');
    world.last.says({ ...fleet(), full: true });
    first(page('o')());
    expect([await found, ids()]).toEqual([true, ['n']]);
  });

  test('goes on page by page', async () => {
    answers['GET /sessions'] = () => ({ sessions: [named('a')], next_cursor: 'more' });
    await sessions.refresh();
    answers['GET /sessions'] = page('z');
    await sessions.loadMore();
    await sessions.loadMore();
    expect([ids(), sessions.more.value, whats().length]).toEqual([['a', 'z'], null, 2]);
    expect(whats()[1]).toContain('cursor=more');
  });

  test('keeps the older ones, also where it is asked for anew while they are on their way', async () => {
    answers['GET /sessions'] = () => ({ sessions: [named('a')], next_cursor: 'more' });
    await sessions.refresh();
    let older: (value: unknown) => void = () => {};
    answers['GET /sessions'] = () => new Promise((resolve) => (older = resolve));
    const more = sessions.loadMore();
    answers['GET /sessions'] = page('a', 'z');
    world.last.says({ ...fleet(), full: true });
    older(page('z')());
    await more;
    expect([ids(), sessions.more.value]).toEqual([['a', 'z'], null]);
    expect(whats().at(-1)).toBe('GET /sessions?limit=100&q=&cursor=');
    await sessions.search('owl');
    expect(whats().at(-1)).toBe('GET /sessions?limit=50&q=owl&cursor=');
  });

  test('that cannot be had stays as it was', async () => {
    answers['GET /sessions'] = refuse(503, 'unavailable');
    await sessions.refresh();
    answers['GET /sessions'] = refuse(0, 'offline');
    await sessions.refresh();
    expect([ids(), told]).toEqual([['a', 'b'], ['unavailable']]);
  });

  test('a new session is made once, however often it is asked for', async () => {
    let times = 0;
    answers['POST /sessions'] = () => {
      times += 1;
      if (times < 3) throw new Problem('offline', 'Nobody answers.');
      return named('new');
    };
    expect((await sessions.create({ title: 'New' }))?.id).toBe('new');
    expect(new Set(calls.map(({ asked }) => asked.key)).size).toBe(1);
    expect([ids().includes('new'), told]).toEqual([true, []]);
    times = -9;
    expect(await sessions.create()).toBeNull();
    expect(told).toEqual(['offline']);
  });

  test('a new title is seen at once, and taken back where it is refused', async () => {
    const title = () => sessions.known('a')?.title;
    answers['PATCH /sessions/a'] = () => named('a', 'Trimmed');
    const renamed = sessions.rename('a', ' Trimmed ');
    expect(title()).toBe(' Trimmed ');
    await renamed;
    expect(title()).toBe('Trimmed');
    answers['PATCH /sessions/a'] = refuse(409, 'session_ended');
    await sessions.rename('a', 'No');
    expect([title(), told]).toEqual(['Trimmed', ['session_ended']]);
  });

  describe('what is deleted', () => {
    test('is gone at once, and for good after a while', async () => {
      sessions.remove('a');
      sessions.remove('a');
      expect([ids(), whats()]).toEqual([['b'], []]);
      expect(sessions.removing.value).toMatchObject([{ session: { id: 'a' } }]);
      world.pass(UNDO_MS);
      await settled();
      expect([ids(), whats(), sessions.removing.value]).toEqual([
        ['b'],
        ['DELETE /sessions/a'],
        [],
      ]);
    });

    test('comes back when somebody changes their mind', () => {
      sessions.remove('a');
      sessions.restore('a');
      world.pass(2 * UNDO_MS);
      expect([ids(), whats()]).toEqual([['a', 'b'], []]);
    });

    test('is deleted when the page goes', async () => {
      sessions.remove('a');
      world.happens('pagehide');
      await settled();
      expect(calls).toEqual([{ what: 'DELETE /sessions/a', asked: { keepalive: true } }]);
      world.pass(UNDO_MS);
      expect(calls).toHaveLength(1);
    });

    test.each([
      [404, ['b'], []],
      [503, ['a', 'b'], ['x']],
    ])('and refused with %i', async (status, left, said) => {
      answers['DELETE /sessions/a'] = refuse(status);
      sessions.remove('a');
      world.pass(UNDO_MS);
      await settled();
      expect([ids(), told]).toEqual([left, said]);
    });
  });
});

describe('a draft', () => {
  test('is kept once the writer pauses, and there again after a reload', async () => {
    const drafts = new Drafts(ways);
    drafts.keep('s1', 'Ha');
    drafts.keep('s1', 'Half a');
    expect(await drafts.of('s1')).toBe('Half a');
    world.pass(300);
    await settled();
    const again = new Kept((ms, run) => (setTimeout(run, ms), () => {}));
    expect(await new Drafts({ world, kept: again }).of('s1')).toBe('Half a');
    expect(await drafts.of('other')).toBe('');
  });

  test.each(['pagehide', 'visibilitychange'] as const)('is kept at once on %s', async (name) => {
    const drafts = new Drafts(ways);
    drafts.keep('s1', 'Half a');
    world.isHidden = true;
    world.happens(name);
    await settled();
    expect(await ways.kept.draft('s1')).toBe('Half a');
  });
});

describe('who is asking', () => {
  const me = { user: { id: 'dev', name: 'Dev', role: 'user' }, auth: 'dev' };

  test('is asked until somebody answers', async () => {
    answers = { 'GET /me': refuse(503, 'unavailable') };
    const myself = new Myself(ways);
    const loaded = myself.load();
    await settled();
    expect(myself.reason.value).toBe('unavailable');
    answers = { 'GET /me': () => me, 'GET /models': () => ({ models: [], default: 'demo' }) };
    world.pass(500);
    expect(await loaded).toBe(true);
    expect([myself.me.value, myself.models.value?.default, myself.reason.value]).toEqual([
      ...[me, 'demo', null],
    ]);
  });

  test.each([
    [401, 'unauthenticated'],
    [403, 'x'],
  ])('is not asked again after %i', async (status, reason) => {
    answers = { 'GET /me': refuse(status) };
    const myself = new Myself(ways);
    expect([await myself.load(), myself.reason.value]).toEqual([false, reason]);
  });
});

test('files have addresses in which every name is safe', async () => {
  answers['GET /sessions/s%2F1/files'] = () => ({ files: [{ path: 'a', size: 1, modified: '' }] });
  expect(await filesOf(ways.call, 's/1')).toHaveLength(1);
  expect(fileHref('s1', 'a b/ü?.csv')).toBe('/api/sessions/s1/files/a%20b/%C3%BC%3F.csv');
  expect(exportHref('s1', 'md')).toBe('/api/sessions/s1/export?format=md');
});
