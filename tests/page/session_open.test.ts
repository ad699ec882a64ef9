// One open session against a server that the test plays: what it asks, shows, sends again.

import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import type { Signal } from '@preact/signals';
import { beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '../../static/src/link/api.ts';
import { Kept } from '../../static/src/link/kept.ts';
import { without } from '../../static/src/link/locks.ts';
import { OpenSession } from '../../static/src/session/open_session.ts';
import type { Ways } from '../../static/src/session/ways.ts';
import { FakeWorld, settled } from './fake_world.ts';
import { delta, event, hello, synced } from './frames.ts';

let world: FakeWorld;
let told: string[];
let calls: string[];
let answer: (path: string) => unknown;
let opened: OpenSession;
let ways: Ways;

const USER = event(1, 'user_message', { turn: 't1', submission: 'u1', text: 'Hi', author: 'dev' });
const STARTED = event(2, 'turn_started', { turn: 't1', submission: 'u1', model: 'demo' });
const ENDED = event(3, 'turn_ended', { turn: 't1', status: 'interrupted' });
const note = (seq: number) => event(seq, 'notice', { code: 'x', text: String(seq) });

async function open(): Promise<OpenSession> {
  const call = async (method: string, path: string) => {
    calls.push(`${method} ${path}`);
    return answer(path);
  };
  ways = {
    ...{ world, kept: new Kept((ms, run) => (setTimeout(run, ms), () => {})), locks: without },
    ...{ call: call as Ways['call'], tab: 'a', tell: (code: string) => void told.push(code) },
  };
  const session = new OpenSession('s1', ways);
  session.open();
  await settled();
  return session;
}

/** The server sends these and says that this was all. */
function settle(...frames: object[]): void {
  const from = Number(world.last.asked['after']) + 1;
  const last = frames.findLast((f): f is { seq: number } => 'seq' in f)?.seq ?? from - 1;
  world.last.says(hello(from), ...frames, synced(last));
  world.pass(16);
}

const entries = () => opened.entries.peek().map((entry) => entry.key);
const outbox = () => opened.outbox.peek().map(({ frame, state }) => [frame.type, state]);
const sent = () => world.last.sent;

beforeEach(async () => {
  indexedDB = new IDBFactory();
  world = new FakeWorld();
  told = [];
  calls = [];
  answer = () => ({});
  opened = await open();
});

test('what is stored is sent once a storage that was late has come', async () => {
  settle(USER);
  const kept = new Kept(() => () => {});
  const frame = { type: 'undo', id: 'u7' } as const;
  await kept.put({ id: 'u7', session: 's1', tab: 'a', order: 1, at: world.wall(), frame, then: [], refused: null });
  const durable = ways.kept.durable as Signal<boolean>;
  durable.value = false;
  await settled();
  expect(sent()).toEqual([]);
  durable.value = true;
  await expect.poll(sent).toEqual([frame]);
  opened.close();
});

describe('where it goes on', () => {
  test('is where it was', () => {
    expect(world.last.asked).toEqual({ after: '0', most: '200' });
    settle(USER);
    world.last.closes(1006);
    world.pass(500);
    expect(world.last.asked).toEqual({ after: '1', log: 'L' });
  });

  test('counts what came and was not painted yet', () => {
    settle(USER);
    world.last.says(STARTED);
    world.last.closes(1006);
    opened.dialNow();
    expect(world.last.asked['after']).toBe('2');
  });

  test('is the last good event where something is missing', () => {
    settle(USER);
    world.last.says(note(5));
    world.pass(16);
    expect(opened.link.peek().phase).toBe('waiting');
    world.pass(1_000);
    expect(world.last.asked['after']).toBe('1');
  });

  test('is the beginning where the same is missing again and again', () => {
    const asked = Array.from({ length: 4 }, () => {
      const { after } = world.last.asked;
      settle(...(after === '0' ? [USER] : []));
      world.last.says(note(5));
      world.pass(16);
      world.pass(30_000);
      return after;
    });
    expect(asked).toEqual(['0', '1', '1', '0']);
  });

  test('heartbeats tell of an event that never came', () => {
    settle(USER);
    const beat = { type: 'heartbeat', head: 4, at: USER.at };
    world.last.says(beat);
    expect(opened.link.peek().phase).toBe('settled');
    world.last.says(beat);
    expect(opened.link.peek().phase).toBe('waiting');
  });

  test('heartbeats of one that is only late change nothing', () => {
    settle(USER);
    world.last.says({ type: 'heartbeat', head: 2, at: USER.at }, STARTED);
    world.last.says({ type: 'heartbeat', head: 3, at: USER.at });
    expect(opened.link.peek().phase).toBe('settled');
  });
});

describe('what is painted', () => {
  test('is all that came since the last frame, at once', () => {
    settle(USER);
    const before = opened.state.peek();
    world.last.says(STARTED, delta(0, 'Hel'), delta(3, 'lo'));
    expect(opened.state.peek()).toBe(before);
    world.pass(16);
    expect(opened.textOf('m:i1').value?.text.text).toBe('Hello');
  });

  test('is a replay when it is whole', () => {
    world.last.says(hello(1), USER);
    world.pass(100);
    expect(entries()).toEqual([]);
    world.last.says(synced(1));
    world.pass(16);
    expect(entries()).toEqual(['u:u1']);
  });

  test('is at once what came before the page was there to hear it', () => {
    world.early = [hello(1), USER, synced(1)];
    const early = new OpenSession('s2', ways);
    early.open();
    expect(early.entries.peek().map(({ key }) => key)).toEqual(['u:u1']);
    expect(early.link.peek().phase).toBe('settled');
  });

  test('is not a half of a replay that came before the page was there', () => {
    world.early = [hello(1), USER];
    const early = new OpenSession('s2', ways);
    early.open();
    expect(early.entries.peek()).toEqual([]);
    world.last.says(synced(1));
    world.pass(16);
    expect(early.entries.peek()).toHaveLength(1);
  });

  test('is a replay that takes long as far as it came', () => {
    world.last.says(hello(1), USER);
    world.pass(250);
    expect(entries()).toEqual(['u:u1']);
  });

  test('leaves the entries alone while texts grow', () => {
    settle(USER, STARTED, delta(0, 'Hel'));
    const before = opened.entries.value;
    world.last.says(delta(3, 'lo'));
    world.pass(16);
    expect(opened.entries.value).toBe(before);
    expect(opened.logOf('c1').value).toBeUndefined();
  });
});

describe('saying something', () => {
  test('is sent, and sent again under its id, until it is accepted and shown', async () => {
    settle();
    opened.say('Hello');
    await settled();
    const [first] = sent();
    expect(first).toMatchObject({ type: 'user_input', text: 'Hello', delivery: 'queue' });
    world.last.closes(1006);
    expect(outbox()).toEqual([['user_input', 'offline']]);
    world.pass(500);
    settle();
    expect(sent()).toEqual([first]);
    const id = String(first?.['id']);
    world.last.says({ type: 'accepted', id, seq: 1, duplicate: true });
    expect(outbox()).toEqual([['user_input', 'accepted']]);
    world.last.says({ ...USER, submission: id });
    world.pass(16);
    expect(outbox()).toEqual([]);
  });

  test('before there is a connection waits for one, also over a reload', async () => {
    opened.say('Later');
    await settled();
    opened.close();
    opened = await open();
    settle();
    await settled();
    expect(sent()).toMatchObject([{ text: 'Later' }]);
  });

  test('is kept with its refusal', async () => {
    settle();
    opened.say('One too many');
    await settled();
    const id = String(sent()[0]?.['id']);
    world.last.says({ type: 'refused', id, code: 'too_many_queued', message: 'Full.' });
    expect(opened.outbox.peek()).toMatchObject([{ state: 'refused', message: 'Full.' }]);
    opened.sendAgain(id);
    await settled();
    expect(sent().map((frame) => frame['id'])).toEqual([id, id]);
    opened.forget(id);
    expect(outbox()).toEqual([]);
  });

  test('has its limits', async () => {
    opened.say('😀'.repeat(300_000));
    expect([told, outbox()]).toEqual([['too_long'], []]);
    for (let count = 0; count <= 100; count += 1) opened.say('Again');
    expect([told.at(-1), outbox().length]).toEqual(['too_many_queued', 100]);
  });
});

describe('every other ask', () => {
  test.each([
    ['undo', () => opened.undo(), {}],
    ['retry', () => opened.retry(), {}],
    ['compact', () => opened.compact(), {}],
    ['resume', () => opened.resume(), {}],
    ['set_model', () => opened.setModel('m'), { model: 'm' }],
    [
      'set_auto_approval',
      () => opened.setAutoApproval(true, 2),
      { enabled: true, cost_cap_usd: 2 },
    ],
    ['withdraw', () => opened.withdraw('q1'), { submission: 'q1' }],
    [
      ...(['approval', () => opened.decide([{ call: 'c1', decision: 'approve' }])] as const),
      { decisions: [{ call: 'c1', decision: 'approve' }] },
    ],
  ] as const)('%s is sent', async (type, ask, fields) => {
    settle();
    ask();
    await settled();
    expect(sent()).toMatchObject([{ type, ...fields }]);
  });

  test('that is refused is told', async () => {
    settle();
    opened.undo();
    await settled();
    const id = String(sent()[0]?.['id']);
    world.last.says({ type: 'refused', id, code: 'busy', message: 'Busy.' });
    world.last.says({ type: 'refused', id: null, code: 'malformed', message: 'What?' });
    expect([told, outbox()]).toEqual([['busy', 'malformed'], []]);
  });

  test('a queued input leaves the queue before it is handed to the turn', async () => {
    const queued = {
      text: 'Wait',
      delivery: 'queue',
      author: 'dev',
      attachments: ['a.csv'],
    } as const;
    settle(event(1, 'input_queued', { submission: 'q1', ...queued }));
    opened.steerNow('q1');
    opened.steerNow('unknown');
    await settled();
    expect(sent()).toMatchObject([{ type: 'withdraw', submission: 'q1' }]);
    world.last.says({ type: 'accepted', id: sent()[0]?.['id'], seq: 2 });
    await settled();
    expect(sent()[1]).toMatchObject({ text: 'Wait', delivery: 'steer', attachments: ['a.csv'] });
  });

  test('editing takes the last turn back first', async () => {
    settle();
    opened.editAndRerun('Better', ['a.csv']);
    await settled();
    expect(sent().map(({ type }) => type)).toEqual(['undo']);
    world.last.says({ type: 'accepted', id: sent()[0]?.['id'], seq: 4 });
    await settled();
    expect(sent()[1]).toMatchObject({ text: 'Better', attachments: ['a.csv'] });
  });
});

describe('a stop', () => {
  test('is seen at once, and names the turn', () => {
    settle(USER, STARTED);
    opened.stop();
    expect(opened.stopping.peek()).toBe(true);
    expect(sent()).toMatchObject([{ type: 'interrupt', turn: 't1' }]);
    world.last.says({ type: 'accepted', id: sent()[0]?.['id'], seq: 3 }, ENDED);
    expect(opened.stopping.peek()).toBe(false);
  });

  test('is not kept for later', () => {
    opened.stop();
    expect([told, outbox(), opened.stopping.peek()]).toEqual([['not_connected'], [], false]);
  });

  test('that came too late is nothing to worry about, one that did nothing else is', () => {
    settle(USER, STARTED);
    for (const code of ['nothing_running', 'stale_turn']) {
      opened.stop();
      world.last.says({ type: 'refused', id: sent().at(-1)?.['id'], code, message: '' });
      expect(opened.stopping.peek()).toBe(false);
    }
    expect(told).toEqual(['stale_turn']);
  });

  test('whose connection is gone is no longer awaited', () => {
    settle(USER, STARTED);
    opened.stop();
    world.last.closes(1006);
    expect(opened.stopping.peek()).toBe(false);
  });
});

describe('an end', () => {
  test('of the login loses neither words nor the way back', async () => {
    settle();
    world.last.closes(4401);
    expect(opened.link.peek().reason).toBe('unauthenticated');
    opened.say('Still here');
    await settled();
    expect(outbox()).toEqual([['user_input', 'offline']]);
    opened.dialNow();
    settle();
    expect(sent()).toMatchObject([{ text: 'Still here' }]);
  });

  test.each([
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'no_such_session'],
  ])('by a handshake that is refused with %i', async (status, reason) => {
    answer = () => {
      throw new Problem('x', 'No.', status);
    };
    world.last.closes(1006);
    await settled();
    expect(opened.link.peek()).toMatchObject({ phase: 'closed', reason });
    expect(calls).toEqual(['GET /sessions/s1']);
  });

  test('of the session leaves what was written to be seen', async () => {
    opened.say('Too late');
    await settled();
    settle();
    world.last.closes(4404);
    expect(opened.link.peek().reason).toBe('no_such_session');
    expect(opened.outbox.peek()).toMatchObject([{ state: 'refused', code: 'no_such_session' }]);
  });

  test('of the session that only the handshake tells of, too', async () => {
    answer = () => {
      throw new Problem('no_such_session', 'No.', 404);
    };
    opened.say('Too late');
    await settled();
    world.last.closes(1006);
    await settled();
    expect(opened.outbox.peek()).toMatchObject([{ state: 'refused', code: 'no_such_session' }]);
  });

  test('too many connections are waited for', async () => {
    answer = () => {
      throw new Problem('too_many_connections', 'Full.', 429, 9);
    };
    world.last.closes(1006);
    await settled();
    expect(opened.link.peek()).toMatchObject({ phase: 'waiting', reason: 'too_many_connections' });
  });
});

describe('older pages', () => {
  const PLAN = event(2, 'plan_updated', {
    ...{ turn: 't1', items: [{ id: '1', content: 'Begin', status: 'pending' }] },
  });
  const CALL = { call: 'c1', tool: 'bash', arguments: {}, reason: 'careful' };
  const ASKED = event(2, 'approval_required', { turn: 't1', calls: [CALL] });
  const page = (...events: object[]) => ({ events, head: 9, oldest: 1, more: false });
  const tail = async (...frames: object[]) => {
    world.last.says(hello(4, 'tail'), note(4), synced(4), ...frames);
    world.pass(16);
    await settled();
  };
  const waits = {
    ...{ type: 'status', state: 'awaiting_approval', queue: [], held: false, viewers: 1 },
    context: { used: 0, limit: 9 },
  };
  const standing = (path: string) => path.includes('types=');

  test('are put before, one at a time, until there is no more', async () => {
    answer = (path) => (standing(path) ? page() : page(note(1), note(2), note(3)));
    await tail();
    await Promise.all([opened.loadEarlier(), opened.loadEarlier()]);
    expect([entries(), opened.state.peek().oldest]).toEqual([['e:1', 'e:2', 'e:3', 'e:4'], 1]);
    await opened.loadEarlier();
    expect(calls.filter((path) => !standing(path))).toEqual([
      'GET /sessions/s1/events?before=4&limit=500',
    ]);
  });

  test('are not needed to know how things stand', async () => {
    answer = (path) => page(...(standing(path) ? [PLAN] : []));
    await tail();
    expect(opened.state.peek().plan).toMatchObject([{ content: 'Begin' }]);
    expect([entries(), opened.state.peek().oldest]).toEqual([['e:4'], 4]);
  });

  test('are had until the question is here that is waited for', async () => {
    answer = (path) => (standing(path) ? page() : page(note(1), ASKED, note(3)));
    await tail(waits);
    expect(entries()).toEqual(['e:1', 'c:c1', 'e:3', 'e:4']);
    expect(calls).toHaveLength(2);
  });

  test('are had until the calls are here whose outputs are shown', async () => {
    const REPLY = event(2, 'assistant_message', { turn: 't1', item: 'i1', text: 'I look.' });
    const READ = event(3, 'tool_call', {
      ...{ turn: 't1', call: 'c1', tool: 'read', arguments: {}, effect: 'read' },
    });
    const OUTPUT = event(4, 'tool_output', {
      ...{ turn: 't1', call: 'c1', status: 'ok', output: 'a', truncated: false, size: 1, seconds: 1 },
    });
    answer = (path) => {
      if (standing(path)) return page();
      return path.includes('before=4') ? page(READ) : page(note(1), REPLY);
    };
    world.last.says(hello(4, 'tail'), OUTPUT, synced(4), { ...waits, state: 'running' });
    world.pass(16);
    await settled();
    expect(opened.entries.peek()).toMatchObject([
      ...[{ key: 'e:1' }, { key: 'm:i1' }, { key: 'c:c1', tool: 'read', output: 'a' }],
    ]);
  });

  test('are asked for again, a little later, where they could not be had', async () => {
    let there = false;
    answer = (path) => {
      if (!there) throw new Problem('offline', 'Nobody answers.');
      return page(...(standing(path) ? [PLAN] : []));
    };
    await tail();
    expect([calls.length, told]).toEqual([1, []]);
    there = true;
    world.pass(5_000);
    await settled();
    expect(opened.state.peek().plan).toHaveLength(1);
  });

  test('of a session that was left are not asked for again', async () => {
    answer = () => {
      throw new Problem('offline', 'Nobody answers.');
    };
    await tail();
    opened.close();
    world.pass(5_000);
    await settled();
    expect(calls).toHaveLength(1);
  });

  test('end where the turn begins that is wanted whole', async () => {
    answer = (path) => (standing(path) ? page() : page(USER, STARTED, note(3)));
    await tail();
    await opened.wholeTurn('t1');
    await opened.wholeTurn('t1');
    expect(entries()).toEqual(['u:u1', 'e:3', 'e:4']);
    expect(calls).toHaveLength(2);
  });

  test('that are of no use are asked for once', async () => {
    answer = () => page();
    await tail();
    await opened.wholeTurn('t1');
    expect(calls).toHaveLength(2);
  });

  test('that cannot be had are told', async () => {
    answer = (path) => {
      if (standing(path)) return page();
      throw new Problem('offline', 'Nobody answers.');
    };
    await tail();
    await opened.loadEarlier();
    expect([told, entries()]).toEqual([['offline'], ['e:4']]);
  });
});
