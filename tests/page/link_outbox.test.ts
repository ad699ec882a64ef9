// The outbox: written before it is sent, one id for ever, nothing lost by reloads or dead networks.

import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test } from 'vitest';
import { Kept, type KeptItem } from '../../static/src/link/kept.ts';
import { type Locks, locksOf, without } from '../../static/src/link/locks.ts';
import { Outbox, lockOf } from '../../static/src/link/outbox.ts';
import type { Submission, UserInput } from '../../static/src/wire.ts';
import { settled } from './fake_world.ts';

const after = (milliseconds: number, run: () => void) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

/** Another page is still making the database: nobody else gets it until it is told to end. */
function slowlyMade(outbox: readonly KeptItem[], drafts: Record<string, string>): () => void {
  let ends = false;
  const request = indexedDB.open('mooring', 1);
  request.onupgradeneeded = () => {
    const items = request.result.createObjectStore('outbox', { keyPath: 'id' });
    const texts = request.result.createObjectStore('drafts');
    for (const item of outbox) items.put(item);
    for (const [of, text] of Object.entries(drafts)) texts.put(text, of);
    const goOn = () => {
      if (!ends) items.count().onsuccess = goOn;
    };
    goOn();
  };
  request.onsuccess = () => request.result.close();
  return () => {
    ends = true;
  };
}

/** Nobody is patient. */
const hurried = (_: number, run: () => void) => {
  run();
  return () => {};
};

const durable = (store: Kept) =>
  new Promise<void>((done) => store.durable.subscribe((is) => is && done()));

/** Locks of pages that live and die as the test says. */
class Pages implements Locks {
  readonly alive = new Set<string>();
  readonly waiting: { name: string; run: () => Promise<void> }[] = [];

  hold(name: string): void {
    this.alive.add(name);
  }

  whenFree(name: string, run: () => Promise<void>): () => void {
    const wait = { name, run };
    if (this.alive.has(name)) this.waiting.push(wait);
    else void run();
    return () => void this.waiting.splice(this.waiting.indexOf(wait), 1);
  }

  async dies(tab: string): Promise<void> {
    this.alive.delete(lockOf(tab));
    for (const { name, run } of this.waiting.splice(0)) if (name === lockOf(tab)) await run();
  }
}

interface Page {
  readonly outbox: Outbox;
  readonly sent: Submission[];
  readonly told: string[];
  online: boolean;
}

let pages: Pages;
let wall = 0;
let ids = 0;

async function page(tab: string, locks: Locks = pages, kept = new Kept(after)): Promise<Page> {
  const made = { sent: [] as Submission[], told: [] as string[], online: true };
  const send = (frame: Submission) => {
    if (made.online) made.sent.push(frame);
    return made.online;
  };
  const newId = () => `n${(ids += 1)}`;
  const tell = (code: string) => void made.told.push(code);
  const outbox = new Outbox('s1', { tab, kept, locks, wall: () => wall, newId, send, tell });
  locks.hold(lockOf(tab));
  await outbox.load();
  return Object.assign(made, { outbox });
}

const say = (id: string): UserInput => ({ type: 'user_input', id, text: id });
const states = ({ outbox }: Page) =>
  outbox.items.peek().map(({ frame, state }) => [frame.id, state]);
const kept = async () => (await new Kept(after).items('s1')).map(({ id, tab }) => [id, tab]);

beforeEach(() => {
  indexedDB = new IDBFactory();
  pages = new Pages();
  wall = 1_700_000_000_000;
});

test('what is asked is seen at once, written down, and then sent', async () => {
  const one = await page('a');
  const added = one.outbox.add(say('u1'));
  expect([states(one), one.sent]).toEqual([[['u1', 'sending']], []]);
  await added;
  expect([states(one), one.sent, await kept()]).toEqual([
    ...[[['u1', 'sent']], [say('u1')], [['u1', 'a']]],
  ]);
});

test('what is not written yet is not sent, whatever the link does', async () => {
  const one = await page('a');
  const added = one.outbox.add(say('u1'));
  one.outbox.drain();
  expect(one.sent).toEqual([]);
  await added;
  one.outbox.drain();
  expect(one.sent).toEqual([say('u1')]);
});

test('what is asked outlives a reload before the database has it, and is sent once', async () => {
  const cells = new Map<string, string>();
  const storage = {
    get length() {
      return cells.size;
    },
    key: (at: number) => [...cells.keys()][at] ?? null,
    getItem: (key: string) => cells.get(key) ?? null,
    setItem: (key: string, value: string) => void cells.set(key, value),
    removeItem: (key: string) => void cells.delete(key),
  } as Storage;
  cells.set('theme', 'dark');
  const stuck = await page('a', pages, new Kept(after, () => storage));
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = () => {
    throw new Error('the page is gone');
  };
  await stuck.outbox.add(say('u1'));
  IDBObjectStore.prototype.put = put;
  await pages.dies('a');
  const next = await page('b', pages, new Kept(after, () => storage));
  await settled();
  expect([states(next), next.sent, await kept()]).toEqual([
    ...[[['u1', 'sent']], [say('u1')], [['u1', 'b']]],
  ]);
  expect([...cells.keys()]).toEqual(['theme']);
  next.outbox.accepted('u1', 7);
  await settled();
  expect([await kept(), await new Kept(after, () => storage).all()]).toEqual([[], []]);
});

test('a storage that cannot be written or read costs nothing', async () => {
  const forbidden = () => {
    throw new DOMException('no', 'SecurityError');
  };
  const one = await page('a', pages, new Kept(after, forbidden));
  await one.outbox.add(say('u1'));
  expect([one.sent, await kept()]).toEqual([[say('u1')], [['u1', 'a']]]);
});

test('what is asked before the storage was read is there once', async () => {
  const one = await page('a');
  const added = one.outbox.add(say('u1'));
  await one.outbox.load();
  await added;
  expect(states(one)).toEqual([['u1', 'sent']]);
});

test('first in, first out', async () => {
  const one = await page('a');
  await Promise.all(['u1', 'u2', 'u3'].map((id) => one.outbox.add(say(id))));
  expect(one.sent.map(({ id }) => id)).toEqual(['u1', 'u2', 'u3']);
});

test('what is accepted is no longer kept, and seen until its event is', async () => {
  const one = await page('a');
  await one.outbox.add(say('u1'));
  one.outbox.accepted('u1', 7);
  await settled();
  expect([states(one), await kept()]).toEqual([[['u1', 'accepted']], []]);
  one.outbox.shown(6);
  expect(states(one)).toHaveLength(1);
  one.outbox.shown(7);
  expect(states(one)).toEqual([]);
});

describe('without a connection', () => {
  test('it waits, and is sent under its id when the link is back', async () => {
    const one = await page('a');
    one.online = false;
    await one.outbox.add(say('u1'));
    expect(states(one)).toEqual([['u1', 'offline']]);
    one.online = true;
    one.outbox.drain();
    expect([states(one), one.sent]).toEqual([[['u1', 'sent']], [say('u1')]]);
  });

  test('what was not answered is sent again under its id, in order', async () => {
    const one = await page('a');
    await one.outbox.add(say('u1'));
    await one.outbox.add(say('u2'));
    one.outbox.lost();
    expect(states(one)).toEqual([
      ['u1', 'offline'],
      ['u2', 'offline'],
    ]);
    one.outbox.drain();
    expect(one.sent.map(({ id }) => id)).toEqual(['u1', 'u2', 'u1', 'u2']);
  });
});

describe('a reload', () => {
  test('loses nothing, and keeps order and ids', async () => {
    const one = await page('a');
    one.online = false;
    await one.outbox.add(say('u1'));
    await one.outbox.add(say('u2'));
    await pages.dies('a');
    const two = await page('b');
    await settled();
    expect(two.sent.map(({ id }) => id)).toEqual(['u1', 'u2']);
    expect(await kept()).toEqual([
      ['u1', 'b'],
      ['u2', 'b'],
    ]);
  });

  test('keeps refused words with their refusal', async () => {
    const one = await page('a');
    await one.outbox.add(say('u1'));
    one.outbox.refused('u1', 'too_many_queued', '20 of 20 are queued.');
    await settled();
    await pages.dies('a');
    const two = await page('b');
    await settled();
    expect(two.outbox.find('u1')).toMatchObject({ state: 'refused', code: 'too_many_queued' });
    expect(two.sent).toEqual([]);
  });
});

describe('two pages', () => {
  test('each sends its own; what the other has is left alone while it lives', async () => {
    const one = await page('a');
    one.online = false;
    await one.outbox.add(say('u1'));
    const two = await page('b');
    await two.outbox.add(say('u2'));
    expect([states(two), two.sent]).toEqual([[['u2', 'sent']], [say('u2')]]);
  });

  test('what a page that dies has left is sent by one of the others, under the same id', async () => {
    const one = await page('a');
    one.online = false;
    await one.outbox.add(say('u1'));
    const [two, three] = [await page('b'), await page('c')];
    await pages.dies('a');
    await settled();
    expect([...two.sent, ...three.sent]).toEqual([say('u1')]);
  });

  test('where there are no locks the same id goes out twice, which the server knows', async () => {
    const one = await page('a', without);
    await one.outbox.add(say('u1'));
    const two = await page('b', without);
    await settled();
    expect([one.sent, two.sent]).toEqual([[say('u1')], [say('u1')]]);
    one.outbox.accepted('u1', 1);
    two.outbox.accepted('u1', 1);
    await settled();
    expect(await kept()).toEqual([]);
  });

  test('real locks tell when a page is gone', async () => {
    const requests: string[] = [];
    const manager = {
      request: async (name: string, ...rest: unknown[]) => {
        requests.push(name);
        await (rest.at(-1) as () => Promise<void>)();
      },
    } as unknown as LockManager;
    const locks = locksOf(manager);
    locks.hold('mine');
    let ran = 0;
    locks.whenFree('theirs', async () => void (ran += 1));
    await settled();
    expect([requests, ran, locksOf(undefined)]).toEqual([['mine', 'theirs'], 1, without]);
  });
});

describe('a refusal', () => {
  test('leaves words to be sent again under the same id, or forgotten', async () => {
    const one = await page('a');
    await one.outbox.add(say('u1'));
    one.outbox.refused('u1', 'too_many_queued', 'Full.');
    await one.outbox.sendAgain('u1');
    expect(one.sent).toEqual([say('u1'), say('u1')]);
    one.outbox.refused('u1', 'too_many_queued', 'Full.');
    one.outbox.forget('u1');
    await settled();
    expect([states(one), await kept()]).toEqual([[], []]);
  });

  test('of an id that was used for something else needs a new one', async () => {
    const one = await page('a');
    await one.outbox.add(say('u1'));
    one.outbox.refused('u1', 'id_conflict', 'Used.');
    await one.outbox.sendAgain('u1');
    expect(one.sent.at(-1)).toMatchObject({ text: 'u1' });
    expect(one.sent.at(-1)?.id).not.toBe('u1');
  });

  test('of what was no words is told, and gone', async () => {
    const one = await page('a');
    await one.outbox.add({ type: 'compact', id: 'c1' });
    one.outbox.refused('c1', 'busy', 'Busy.');
    await settled();
    expect([states(one), one.told, await kept()]).toEqual([[], ['busy'], []]);
  });

  test('of what nobody asked is nothing', async () => {
    const one = await page('a');
    one.outbox.refused('x', 'busy', 'Busy.');
    one.outbox.accepted('x', 1);
    expect([states(one), one.told]).toEqual([[], []]);
  });
});

describe('one after the other', () => {
  const steer = { ...say('s1'), delivery: 'steer' } as const;

  test('the second is sent when the first is accepted, also after a reload', async () => {
    const one = await page('a');
    await one.outbox.add({ type: 'withdraw', id: 'w1', submission: 'q1' }, [steer]);
    expect(one.sent.map(({ id }) => id)).toEqual(['w1']);
    await pages.dies('a');
    const two = await page('b');
    await settled();
    two.outbox.accepted('w1', 3);
    await settled();
    expect(two.sent.map(({ id }) => id)).toEqual(['w1', 's1']);
    expect(await kept()).toEqual([['s1', 'b']]);
  });

  test('an answer that comes twice is followed once', async () => {
    const one = await page('a');
    await one.outbox.add({ type: 'withdraw', id: 'w1', submission: 'q1' }, [steer]);
    one.outbox.accepted('w1', 3);
    one.outbox.accepted('w1', 3);
    await settled();
    expect(states(one)).toEqual([
      ['w1', 'accepted'],
      ['s1', 'sent'],
    ]);
    one.outbox.accepted('s1', 4);
    one.outbox.accepted('s1', 5);
    await settled();
    expect(one.outbox.find('s1')?.seq).toBe(4);
  });

  test('what has begun already is not said twice', async () => {
    const one = await page('a');
    await one.outbox.add({ type: 'withdraw', id: 'w1', submission: 'q1' }, [steer]);
    one.outbox.refused('w1', 'not_queued', 'Begun.');
    expect([states(one), one.told]).toEqual([[], ['not_queued']]);
  });

  test('words whose undo was refused stay for their writer', async () => {
    const one = await page('a');
    await one.outbox.add({ type: 'undo', id: 'd1' }, [say('u1')]);
    one.outbox.refused('d1', 'busy', 'Busy.');
    await settled();
    expect([states(one), await kept()]).toEqual([[['u1', 'refused']], [['u1', 'a']]]);
  });
});

describe('an approval', () => {
  const ruling: Submission = {
    ...{ type: 'approval', id: 'a1', decisions: [{ call: 'c1', decision: 'approve' }] },
  };

  test.each([
    [600_001, [], ['stale_approval']],
    [-600_001, [], ['stale_approval']],
    [599_999, ['a1'], []],
  ])('that waited %i ms', async (age, sent, told) => {
    const one = await page('a');
    one.online = false;
    await one.outbox.add(ruling);
    one.online = true;
    wall += age;
    one.outbox.drain();
    await settled();
    expect([one.sent.map(({ id }) => id), one.told]).toEqual([sent, told]);
    expect(await kept()).toHaveLength(sent.length);
  });
});

describe('a storage', () => {
  test('that is forbidden costs only what a reload would have kept', async () => {
    indexedDB = { open: () => { throw new Error('forbidden'); } } as unknown as IDBFactory; // prettier-ignore
    const store = new Kept(after);
    const one = await page('a', pages, store);
    await one.outbox.add(say('u1'));
    expect([one.sent, store.durable.peek()]).toEqual([[say('u1')], false]);
    await store.keepDraft('s1', 'Half a');
    expect([await store.draft('s1'), (await store.items('s1')).length]).toEqual(['Half a', 1]);
  });

  test('that does not answer is not waited for', async () => {
    const end = slowlyMade([], {});
    const store = new Kept(hurried);
    const one = await page('a', pages, store);
    await one.outbox.add(say('u1'));
    expect([one.sent.length, store.durable.peek()]).toEqual([1, false]);
    end();
  });

  test('that comes late is given what was kept meanwhile, and then says what it has', async () => {
    const older = { id: 'u0', session: 's1', tab: 'a', order: 1, at: wall, frame: say('u0'), then: [], refused: null }; // prettier-ignore
    const end = slowlyMade([older, { ...older, id: 'u9' }], { s2: 'An older draft' });
    const store = new Kept(hurried);
    const one = await page('a', pages, store);
    await one.outbox.add(say('u1'));
    await one.outbox.add(say('u2'));
    one.outbox.forget('u2');
    await store.remove('u9');
    await store.keepDraft('s1', 'Half a');
    await store.keepDraft('s2', '');
    expect([one.sent, store.durable.peek()]).toEqual([[say('u1'), say('u2')], false]);
    end();
    await durable(store);
    expect(await kept()).toEqual([['u0', 'a'], ['u1', 'a']]); // prettier-ignore
    expect([await new Kept(after).draft('s1'), await new Kept(after).draft('s2')]).toEqual(['Half a', '']);
  });

  test('that comes late is read again', async () => {
    const item = { session: 's1', at: wall, then: [], refused: null };
    const mine = { ...item, id: 'u0', tab: 'a', order: 1, frame: say('u0') };
    const left = { ...item, id: 'u9', tab: 'gone', order: 2, frame: say('u9') };
    const end = slowlyMade([mine, left], {});
    let patient = false;
    const store = new Kept((milliseconds, run) => (patient ? after : hurried)(milliseconds, run));
    const one = await page('a', pages, store);
    expect(states(one)).toEqual([]);
    patient = true;
    end();
    await durable(store);
    await one.outbox.load();
    await one.outbox.load();
    expect(states(one)).toEqual([['u9', 'sent'], ['u0', 'sent']]); // prettier-ignore
  });

  test('that comes late is emptied first where somebody logged out meanwhile', async () => {
    const end = slowlyMade([], { s1: 'Theirs' });
    const store = new Kept(hurried);
    await store.clear();
    end();
    await durable(store);
    expect(await new Kept(after).draft('s1')).toBe('');
  });

  test('that fails once is not trusted again', async () => {
    const store = new Kept(after);
    await store.keepDraft('s1', 'Half a');
    await store.put({ id: 'x', then: () => {} } as unknown as KeptItem);
    expect([await store.draft('s1'), store.durable.peek()]).toEqual(['Half a', false]);
  });

  test('keeps drafts over a reload', async () => {
    await new Kept(after).keepDraft('s1', 'Half a');
    expect(await new Kept(after).draft('s1')).toBe('Half a');
    const store = new Kept(after);
    await store.keepDraft('s1', '');
    expect([await store.draft('s1'), await new Kept(after).draft('s1')]).toEqual(['', '']);
    expect(store.durable.peek()).toBe(true);
  });
});

test('when the session is gone, what was written stays to be seen, not to be sent', async () => {
  const one = await page('a');
  await one.outbox.add(say('u1'));
  one.outbox.abandon('no_such_session');
  await settled();
  expect([states(one), await kept()]).toEqual([[['u1', 'refused']], []]);
  one.outbox.close();
});
