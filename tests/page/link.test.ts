// How the link comes back: when it dials, what it takes for dead, and when it gives up.

import { beforeEach, describe, expect, test } from 'vitest';
import { waitSeconds } from '../../static/src/link/backoff.ts';
import { type Finding, HANDSHAKE_MS, Link, SILENCE_MS } from '../../static/src/link/link.ts';
import { FakeWorld, settled } from './fake_world.ts';

let world: FakeWorld;
let link: Link;
let got: unknown[];
let finding: Finding | null;
let events: string[];

beforeEach(() => {
  world = new FakeWorld();
  got = [];
  events = [];
  finding = null;
  const client = {
    path: () => '/socket',
    settles: (frame: unknown) => (frame as { type: string }).type === 'synced',
    received: (frame: unknown) => void got.push(frame),
    settled: () => void events.push('settled'),
    lost: () => void events.push('lost'),
    probe: async () => finding,
  };
  link = new Link(client, world);
  link.open();
});

const view = () => link.view.peek();
const dials = () => world.sockets.length;
const settle = () => world.last.says({ type: 'hello' }, { type: 'synced' });

describe('the wait', () => {
  test('doubles from half a second to thirty, with full jitter', () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 7].map((failures) => waitSeconds(failures, 1));
    expect(longest).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30]);
    expect(waitSeconds(9_999, 0.5)).toBe(15);
    expect(waitSeconds(3, 0)).toBe(0);
    expect(waitSeconds(0, 1, 7)).toBe(7.5);
  });

  test('goes on for ever, and begins anew once the link was good', () => {
    const waits = Array.from({ length: 9 }, () => {
      world.last.closes(1006);
      const wait = (view().dialAt ?? 0) - world.wall();
      world.pass(wait);
      return wait;
    });
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    settle();
    world.last.closes(1006);
    expect((view().dialAt ?? 0) - world.wall()).toBe(500);
  });

  test('does not begin anew with a link that was greeted and never good', () => {
    const waits = Array.from({ length: 4 }, () => {
      world.last.says({ type: 'hello' });
      world.last.closes(1006);
      const wait = (view().dialAt ?? 0) - world.wall();
      world.pass(wait);
      return wait;
    });
    expect(waits).toEqual([500, 1000, 2000, 4000]);
  });

  test('heeds what the server asks for when it goes', () => {
    settle();
    world.last.says({ type: 'bye', code: 1012, retry_after: 5 });
    world.last.closes(1012);
    expect((view().dialAt ?? 0) - world.wall()).toBe(5_500);
    expect(view().reason).toBe('server_restarting');
  });

  test('is over at once when a person says so', () => {
    world.last.closes(1006);
    link.dialNow();
    expect([dials(), view().phase]).toEqual([2, 'connecting']);
  });
});

describe('what a person sees', () => {
  test('goes from connecting over open to settled', () => {
    expect(view()).toMatchObject({ phase: 'connecting', reason: null });
    world.last.says({ type: 'hello' });
    expect(view().phase).toBe('open');
    world.last.says({ type: 'synced' });
    expect(view()).toMatchObject({ phase: 'settled', lostAt: null });
    expect(events).toEqual(['settled']);
  });

  test('counts from the loss, not from the last attempt', () => {
    settle();
    world.last.closes(1006);
    const { lostAt } = view();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      world.pass((view().dialAt ?? 0) - world.wall());
      world.last.closes(1006);
    }
    expect(view().lostAt).toBe(lostAt);
    expect(events).toContain('lost');
  });

  test('says that this machine is offline', () => {
    world.happens('offline');
    expect(view().offline).toBe(true);
    world.happens('online');
    expect(view().offline).toBe(false);
  });
});

describe('sending', () => {
  test('needs a link that is good', () => {
    expect(link.send({ type: 'ping' })).toBe(false);
    settle();
    expect(link.send({ type: 'ping' })).toBe(true);
    expect(world.last.sent).toEqual([{ type: 'ping' }]);
  });

  test('a socket that is closing takes nothing', () => {
    settle();
    world.last.readyState = 2;
    expect(link.send({ type: 'ping' })).toBe(false);
  });
});

describe('a watchdog', () => {
  test('gives ten seconds to a handshake, and fifty to a server that beats every twenty', () => {
    expect([HANDSHAKE_MS, SILENCE_MS]).toEqual([10_000, 50_000]);
  });

  test('cuts a handshake that hangs', () => {
    world.pass(HANDSHAKE_MS - 1);
    expect(view().phase).toBe('connecting');
    world.pass(1);
    expect(view().phase).toBe('waiting');
    expect(world.sockets[0]?.closedByPage).toBe(true);
  });

  test('takes two and a half missed heartbeats for the end', () => {
    settle();
    world.pass(SILENCE_MS - 1);
    world.last.says({ type: 'heartbeat' });
    world.pass(SILENCE_MS - 1);
    expect(view().phase).toBe('settled');
    world.pass(1);
    expect(view().phase).toBe('waiting');
  });

  test('is not fooled by timers that sleep while frames come', () => {
    settle();
    world.freeze(SILENCE_MS - 1_000);
    world.last.says({ type: 'heartbeat' });
    world.freeze(30_000);
    expect(view().phase).toBe('settled');
  });

  test('is not fooled by a clock that is set back', () => {
    settle();
    world.jump(-3_600_000);
    world.pass(SILENCE_MS - 1);
    expect([view().phase, dials()]).toEqual(['settled', 1]);
    world.pass(1);
    expect(view().phase).toBe('waiting');
  });

  test('dials when the machine has slept', () => {
    settle();
    world.jump(3_600_000);
    world.pass(5_000);
    expect([view().phase, dials()]).toEqual(['connecting', 2]);
    expect(events).toEqual(['settled', 'lost']);
  });
});

describe('a wake-up call', () => {
  test.each(['visibilitychange', 'pageshow', 'online'] as const)('%s dials at once', (name) => {
    world.last.closes(1006);
    world.happens(name);
    expect([dials(), view().phase]).toEqual([2, 'connecting']);
  });

  test('leaves a link alone that was hidden for a moment', () => {
    settle();
    world.hide(true);
    world.pass(20_000);
    world.last.says({ type: 'heartbeat' });
    world.hide(false);
    expect(dials()).toBe(1);
  });

  test('dials after more than thirty hidden seconds, even if the socket says open', () => {
    settle();
    world.hide(true);
    world.pass(20_000);
    world.last.says({ type: 'heartbeat' });
    world.pass(11_000);
    world.hide(false);
    expect([dials(), view().phase]).toEqual([2, 'connecting']);
  });

  test('dials after an hour in which no time of ours passed', () => {
    settle();
    world.hide(true);
    world.jump(3_600_000);
    world.hide(false);
    expect(dials()).toBe(2);
  });

  test('dials when the network came back under an open socket', () => {
    settle();
    world.pass(5_000);
    world.happens('offline');
    world.happens('online');
    expect(dials()).toBe(2);
  });

  test('dials when the page comes out of the browser’s cache', () => {
    settle();
    world.pass(5_000);
    world.happens('pageshow', { persisted: true });
    expect(dials()).toBe(2);
  });

  test('comes as several events and dials once', () => {
    world.last.closes(1006);
    world.happens('pageshow', { persisted: true });
    world.happens('visibilitychange');
    world.happens('online');
    expect(dials()).toBe(2);
  });
});

describe('a superseded socket', () => {
  test('says nothing any more', () => {
    const [old] = world.sockets;
    old?.closes(1006);
    link.dialNow();
    old?.says({ type: 'synced' });
    old?.closes(4404);
    expect([got, view().phase]).toEqual([[], 'connecting']);
  });
});

describe('giving up', () => {
  test.each([
    [1000, 'ended'],
    [4401, 'unauthenticated'],
    [4404, 'no_such_session'],
  ])('close code %i is final: %s', (code, reason) => {
    settle();
    world.last.closes(code);
    world.pass(100_000);
    world.happens('online');
    expect([view().phase, view().reason, dials()]).toEqual(['closed', reason, 1]);
    expect(world.listeners).toBe(0);
  });

  test.each([1001, 1006, 1009, 1011, 1012, 1013, 4400, 4408])('close code %i is not', (code) => {
    settle();
    world.last.closes(code);
    expect(view().phase).toBe('waiting');
  });

  test('a refused handshake is asked about over HTTP', async () => {
    finding = { final: 'no_such_session' };
    world.last.closes(1006);
    await settled();
    expect(view()).toMatchObject({ phase: 'closed', reason: 'no_such_session' });
  });

  test('what is refused for a while waits as long as it is told to', async () => {
    finding = { reason: 'too_many_connections', patience: 12 };
    world.last.closes(1006);
    await settled();
    expect(view()).toMatchObject({ phase: 'waiting', reason: 'too_many_connections' });
    expect((view().dialAt ?? 0) - world.wall()).toBeGreaterThanOrEqual(12_000);
  });

  test('a finding that comes too late is no news', async () => {
    finding = { final: 'no_such_session' };
    world.last.closes(1006);
    link.dialNow();
    await settled();
    world.pass(1);
    expect(view().phase).toBe('connecting');
  });

  test('a person who logged in again dials again', () => {
    settle();
    world.last.closes(4401);
    link.dialNow();
    expect([view().phase, dials()]).toEqual(['connecting', 2]);
  });

  test('opening what is open changes nothing', () => {
    link.open();
    settle();
    link.dialNow();
    expect([dials(), view().phase]).toEqual([1, 'settled']);
  });

  test('a link that was closed on purpose stays closed', () => {
    link.close();
    link.dialNow();
    world.pass(100_000);
    expect([view().phase, dials(), world.listeners]).toEqual(['closed', 1, 0]);
  });
});

describe('a socket that is left', () => {
  const isClosed = () => world.sockets[0]?.closedByPage;

  test('is closed at once when it is open', () => {
    settle();
    link.close();
    expect(isClosed()).toBe(true);
  });

  test('is let open first when it is not, as browsers complain of anything sooner', () => {
    link.close();
    expect(isClosed()).toBe(false);
    world.last.opens();
    expect(isClosed()).toBe(true);
    world.last.says({ type: 'hello' });
    expect([got, view().phase]).toEqual([[], 'closed']);
  });

  test('holds nobody up who dials next for more than a second', () => {
    link.close();
    world.pass(999);
    expect(isClosed()).toBe(false);
    world.pass(1);
    expect(isClosed()).toBe(true);
  });

  test('is closed at once where another takes its place', () => {
    world.pass(2_000);
    world.happens('online');
    expect([isClosed(), dials()]).toEqual([true, 2]);
  });
});

describe('mistrust', () => {
  test('dials again, each time a little later, though every link was good', () => {
    const waits = Array.from({ length: 4 }, () => {
      settle();
      link.mistrust();
      const wait = (view().dialAt ?? 0) - world.wall();
      world.pass(wait);
      return wait;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test('is forgotten after a calm minute', () => {
    settle();
    link.mistrust();
    world.pass(1_000);
    settle();
    for (let beat = 0; beat < 4; beat += 1) {
      world.pass(20_000);
      world.last.says({ type: 'heartbeat' });
    }
    link.mistrust();
    expect((view().dialAt ?? 0) - world.wall()).toBe(1_000);
  });

  test('meets what is no JSON object', () => {
    settle();
    world.last.saysText('{');
    expect(view().phase).toBe('waiting');
    world.pass(30_000);
    world.last.saysText('null');
    expect(view().phase).toBe('waiting');
  });
});
