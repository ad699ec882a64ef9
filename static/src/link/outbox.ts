// What was asked of a session and is not answered yet: kept before it is sent, under one id.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Submission, UserInput } from '../wire.ts';
import type { Kept, KeptItem } from './kept.ts';
import type { Locks } from './locks.ts';

export const STALE_APPROVAL_MS = 600_000;
/** Its content changed under an id that the server remembers: only a new id helps. */
const CONFLICT = 'id_conflict';

export interface OutboxItem {
  readonly frame: Submission;
  readonly at: number;
  readonly state: 'sending' | 'sent' | 'offline' | 'accepted' | 'refused';
  /** Sent one after the other, each when the one before is accepted. */
  readonly then: readonly Submission[];
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** The event that it caused. */
  readonly seq?: number | undefined;
}

interface Held extends OutboxItem {
  readonly order: number;
  readonly written: boolean;
}

/** What an outbox needs of its page. */
export interface Post {
  readonly tab: string;
  readonly kept: Kept;
  readonly locks: Locks;
  /** Milliseconds since 1970. */
  wall(): number;
  newId(): string;
  /** Whether it went out. */
  send(frame: Submission): boolean;
  tell(code: string, message?: string): void;
}

/** What a person wrote, whatever has to happen before it is said. */
export const wordsOf = (item: Pick<OutboxItem, 'frame' | 'then'>): UserInput | undefined =>
  [item.frame, ...item.then].find((frame) => frame.type === 'user_input');

/** What a person ruled on a question that may no longer be the same. */
export const isRuling = ({ type }: Submission): boolean => type === 'approval' || type === 'answer';

export const lockOf = (tab: string): string => `mooring:page:${tab}`;

export class Outbox {
  readonly #items = signal<readonly Held[]>([]);
  readonly #session: string;
  readonly #post: Post;
  #writing: Promise<void> = Promise.resolve();
  #order = 0;
  #waits: (() => void)[] = [];
  readonly #others = new Set<string>();

  constructor(session: string, post: Post) {
    this.#session = session;
    this.#post = post;
  }

  get items(): ReadonlySignal<readonly OutboxItem[]> {
    return this.#items;
  }

  /** Take up what this page, or a page that is gone, left behind; again, when more of it can be read. */
  async load(): Promise<void> {
    const load = async () => {
      const all = await this.#post.kept.items(this.#session);
      this.#order = Math.max(this.#order, ...all.map((item) => item.order));
      this.#take(all.filter((item) => item.tab === this.#post.tab));
      const others = new Set(all.map((item) => item.tab).filter((tab) => tab !== this.#post.tab));
      for (const tab of others) {
        if (this.#others.has(tab)) continue;
        this.#others.add(tab);
        this.#waits.push(this.#post.locks.whenFree(lockOf(tab), () => this.#adopt(tab)));
      }
    };
    await this.#inTurn(load);
    this.drain();
  }

  close(): void {
    for (const stop of this.#waits.splice(0)) stop();
  }

  find(id: string): OutboxItem | undefined {
    return this.#items.peek().find((item) => item.frame.id === id);
  }

  /** In hand, seen, written down, then sent; so is each of `then`, once the one before is accepted. */
  add(frame: Submission, then: readonly Submission[] = []): Promise<void> {
    const at = this.#post.wall();
    const order = this.#order + 1;
    const item: Held = { ...{ frame, then, at, order }, state: 'sending', written: false };
    this.#post.kept.hold(this.#stored(item));
    this.#set([...this.#items.peek(), item]);
    return this.#inTurn(async () => {
      this.#order += 1;
      this.#change(frame.id, { order: this.#order });
      await this.#keep(frame.id);
      this.#change(frame.id, { written: true });
      this.drain();
    });
  }

  /** Send what is written and not sent, in order. */
  drain(): void {
    for (const { frame, at, state, written } of this.#items.peek()) {
      if (state !== 'sending' && state !== 'offline') continue;
      if (!written) return;
      const age = Math.abs(this.#post.wall() - at);
      if (isRuling(frame) && age > STALE_APPROVAL_MS) {
        this.forget(frame.id);
        this.#post.tell('stale_approval');
      } else {
        this.#change(frame.id, { state: this.#post.send(frame) ? 'sent' : 'offline' });
      }
    }
  }

  /** What was not answered on the connection that is gone has to be sent again. */
  lost(): void {
    this.#set(
      this.#items
        .peek()
        .map((item) =>
          item.state === 'sent' || item.state === 'sending' ? { ...item, state: 'offline' } : item,
        ),
    );
  }

  /** It stays to be seen until the event that it caused is (`shown`). */
  accepted(id: string, seq: number): void {
    const item = this.#held(id);
    if (item === undefined || item.state === 'accepted') return;
    const [next, ...rest] = item.then;
    this.#change(id, { state: 'accepted', seq, then: [] });
    if (next === undefined) {
      void this.#inTurn(() => this.#post.kept.remove(id));
      return;
    }
    const { at, order } = item;
    this.#set([
      ...this.#items.peek(),
      { ...{ frame: next, then: rest, at, order }, state: 'sending', written: false },
    ]);
    void this.#inTurn(async () => {
      const follower = this.#held(next.id);
      if (follower === undefined) return this.#post.kept.remove(id);
      await this.#post.kept.replace(id, this.#stored(follower));
      this.#change(next.id, { written: true });
      this.drain();
    });
  }

  shown(seq: number): void {
    const isShown = (item: Held) => item.state === 'accepted' && (item.seq ?? 0) <= seq;
    if (this.#items.peek().some(isShown)) this.#set(this.#items.peek().filter((i) => !isShown(i)));
  }

  /** Words that were refused stay for their writer; everything else was only a wish. */
  refused(id: string, code: string, message: string): void {
    const item = this.#held(id);
    if (item === undefined) return;
    const words = wordsOf(item);
    if (words === undefined || code === 'not_queued') {
      this.forget(id);
      this.#post.tell(code, message);
      return;
    }
    // What would have had to happen before it did not: the words alone are what is left.
    const change = { frame: words, then: [], state: 'refused', code, message } as const;
    this.#change(id, change);
    void this.#inTurn(async () => {
      const left = this.#held(words.id);
      if (left !== undefined) await this.#post.kept.replace(id, this.#stored(left));
    });
  }

  /** Under the same id, which stayed free when it was refused. */
  sendAgain(id: string): Promise<void> {
    const item = this.#held(id);
    if (item === undefined || item.state !== 'refused') return Promise.resolve();
    this.forget(id);
    const frame = item.code === CONFLICT ? { ...item.frame, id: this.#post.newId() } : item.frame;
    return this.add(frame, item.then);
  }

  /** There is nobody left to send to: what was written stays to be seen, not to be sent. */
  abandon(code: string): void {
    for (const { frame } of this.#items.peek()) {
      this.#change(frame.id, { state: 'refused', code, message: '' });
      void this.#inTurn(() => this.#post.kept.remove(frame.id));
    }
  }

  forget(id: string): void {
    this.#set(this.#items.peek().filter((item) => item.frame.id !== id));
    void this.#inTurn(() => this.#post.kept.remove(id));
  }

  async #adopt(tab: string): Promise<void> {
    await this.#inTurn(async () => {
      const all = await this.#post.kept.items(this.#session);
      const left = all.filter((item) => item.tab === tab);
      for (const item of left) await this.#post.kept.put({ ...item, tab: this.#post.tab });
      this.#take(left);
    });
    this.drain();
  }

  #take(kept: readonly KeptItem[]): void {
    const known = new Set(this.#items.peek().map((item) => item.frame.id));
    const fresh = kept.filter((item) => !known.has(item.id));
    const held = fresh.map(({ frame, then, at, order, refused }): Held => ({
      ...{ frame, then, at, order, written: true },
      state: refused === null ? 'offline' : 'refused',
      ...refused,
    }));
    this.#set([...held, ...this.#items.peek()]);
  }

  async #keep(id: string): Promise<void> {
    const item = this.#held(id);
    if (item !== undefined) await this.#post.kept.put(this.#stored(item));
  }

  #stored({ frame, then, at, order, state, code = '', message = '' }: Held): KeptItem {
    const refused = state === 'refused' ? { code, message } : null;
    const [session, tab] = [this.#session, this.#post.tab];
    return { ...{ id: frame.id, session, tab, order, at }, ...{ frame, then, refused } };
  }

  /** Storage is changed one thing after another, so that the last word on an item is the last. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write);
    return this.#writing;
  }

  #held(id: string): Held | undefined {
    return this.#items.peek().find((item) => item.frame.id === id);
  }

  #change(id: string, change: Partial<Held>): void {
    this.#set(this.#items.peek().map((i) => (i.frame.id === id ? { ...i, ...change } : i)));
  }

  #set(items: readonly Held[]): void {
    this.#items.value = items;
  }
}
