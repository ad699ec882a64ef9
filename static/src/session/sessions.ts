// Every session this person may see: listed over HTTP, kept true by the dashboard's socket.

import { type ReadonlySignal, computed, signal } from '@preact/signals';
import { Problem, type SessionPage, sessionPath } from '../link/api.ts';
import { Link, type LinkView } from '../link/link.ts';
import { type FleetState, board, drop, listed, noFleet, put } from '../store/fleet.ts';
import { takesPart } from '../store/rights.ts';
import type { BoardFrame, Row, Session, Totals } from '../wire.ts';
import type { Ways } from './ways.ts';

const PAGE = 50;
/** The server gives no more at once. */
const MOST_AT_ONCE = 500;
const POLL_MS = 15_000; // only while the socket is away, or the list could not be had
export const UNDO_MS = 6_000;
const ATTEMPTS = 3;

/** A session that will be deleted at `at` (`Date.now()`), unless somebody changes their mind. */
export interface Removing {
  readonly session: Session;
  readonly at: number;
}

export class Sessions {
  readonly query: ReadonlySignal<string>;
  /** The sessions to show, newest activity first. */
  readonly list: ReadonlySignal<readonly Session[]>;
  readonly rows: ReadonlySignal<ReadonlyMap<string, Row>>;
  /** All sessions of this person, also those that a search does not find. */
  readonly mine: ReadonlySignal<readonly Session[]>;
  readonly totals: ReadonlySignal<Totals | null>;
  readonly #ways: Ways;
  readonly #link: Link;
  readonly #fleet = signal<FleetState>(noFleet);
  readonly #query = signal('');
  readonly #loaded = signal(false);
  readonly #cursor = signal<string | null>(null);
  readonly #removing = signal<readonly Removing[]>([]);
  readonly #timers = new Map<string, () => void>();
  /** How many were asked for: older ones stay in the list when it is asked for anew. */
  #wanted = PAGE;
  #asked = 0;
  #newest: Promise<boolean> = Promise.resolve(false);
  #failed = false;
  #stop: (() => void)[] = [];

  constructor(ways: Ways) {
    this.#ways = ways;
    this.#link = new Link(
      {
        path: () => '/dashboard/socket',
        settles: (frame) => (frame as BoardFrame).type === 'fleet',
        received: (frame) => this.#received(frame as BoardFrame),
      },
      ways.world,
    );
    this.query = this.#query;
    const hidden = computed(() => new Set(this.#removing.value.map(({ session }) => session.id)));
    this.list = computed(() => this.#fleet.value.sessions.filter(({ id }) => !hidden.value.has(id)));
    this.mine = computed(() => {
      const own = [...this.rows.value.values()].filter(takesPart);
      const all = new Map([...own, ...this.#fleet.value.sessions].map((one) => [one.id, one]));
      return [...all.values()].filter(({ id }) => !hidden.value.has(id));
    });
    this.rows = computed(() => this.#fleet.value.rows);
    this.totals = computed(() => this.#fleet.value.totals);
  }

  get link(): ReadonlySignal<LinkView> {
    return this.#link.view;
  }

  /** False until the first page has come. */
  get loaded(): ReadonlySignal<boolean> {
    return this.#loaded;
  }

  /** The next page's cursor; null where there is nothing more. */
  get more(): ReadonlySignal<string | null> {
    return this.#cursor;
  }

  get removing(): ReadonlySignal<readonly Removing[]> {
    return this.#removing;
  }

  open(): void {
    this.#link.open();
    void this.refresh();
    this.#poll();
    this.#stop.push(this.#ways.world.on('pagehide', () => this.#removeNow()));
  }

  close(): void {
    this.#link.close();
    for (const stop of this.#stop.splice(0)) stop();
    this.#removeNow();
  }

  known = (id: string): Session | undefined =>
    this.#fleet.value.sessions.find((session) => session.id === id) ?? this.rows.value.get(id);

  /** Whether the list is now the answer: false where none came, or something else is searched for meanwhile. */
  search(query: string): Promise<boolean> {
    if (query !== this.#query.peek()) this.#wanted = PAGE;
    this.#query.value = query;
    return this.refresh();
  }

  refresh = (): Promise<boolean> => this.#load(null);

  async loadMore(): Promise<void> {
    const cursor = this.#cursor.peek();
    if (cursor === null) return;
    this.#wanted = Math.min(this.#wanted + PAGE, MOST_AT_ONCE);
    await this.#load(cursor);
  }

  /** Null where it could not be made, and a person was told why. */
  async create(wanted: { title?: string; model?: string } = {}): Promise<Session | null> {
    const asked = { body: wanted, key: this.#ways.world.newId() };
    for (let attempt = 1; ; attempt += 1) {
      const made = await this.#try<Session>('POST', '/sessions', asked, attempt < ATTEMPTS);
      if (made !== 'offline') return this.#put(made);
    }
  }

  async rename(id: string, title: string): Promise<void> {
    const before = this.known(id);
    if (before !== undefined) this.#fleet.value = put(this.#fleet.peek(), { ...before, title });
    const after = await this.#try<Session>('PATCH', sessionPath(id), { body: { title } });
    if (after === null && before !== undefined) this.#put(before);
    else this.#put(after);
  }

  /** It is gone from the list at once, and for good a little later. */
  remove(id: string): void {
    const session = this.known(id);
    if (session === undefined || this.#timers.has(id)) return;
    const { world } = this.#ways;
    this.#removing.value = [...this.#removing.peek(), { session, at: world.wall() + UNDO_MS }];
    this.#timers.set(
      id,
      world.after(UNDO_MS, () => void this.#removed(id, false)),
    );
  }

  /** Changed their mind in time. */
  restore(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
    this.#removing.value = this.#removing.peek().filter(({ session }) => session.id !== id);
  }

  async #removed(id: string, isLeaving: boolean): Promise<void> {
    this.#timers.delete(id);
    try {
      await this.#ways.call('DELETE', sessionPath(id), { keepalive: isLeaving });
      this.#fleet.value = drop(this.#fleet.peek(), id);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) this.#fleet.value = drop(this.#fleet.peek(), id);
      else this.#ways.tell(problem.code, problem.message);
    }
    this.restore(id);
  }

  #removeNow(): void {
    for (const [id, stop] of [...this.#timers]) {
      stop();
      void this.#removed(id, true);
    }
  }

  #put(session: Session | 'offline' | null): Session | null {
    if (session === null || session === 'offline') return null;
    this.#fleet.value = put(this.#fleet.peek(), session);
    return session;
  }

  /** 'offline' where a repeat is wanted and worth it; null once a person was told. */
  async #try<T>(
    method: string,
    path: string,
    asked: { body: unknown; key?: string },
    isRepeated = false,
  ): Promise<T | 'offline' | null> {
    try {
      return await this.#ways.call<T>(method, path, asked);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (isRepeated && problem.code === 'offline') return 'offline';
      this.#ways.tell(problem.code, problem.message);
      return null;
    }
  }

  /** Only the newest question's answer counts, also for who asked the same before. */
  #load(cursor: string | null): Promise<boolean> {
    this.#asked += 1;
    this.#newest = this.#answer(this.#query.peek(), cursor, this.#asked);
    return this.#newest;
  }

  async #answer(q: string, cursor: string | null, mine: number): Promise<boolean> {
    const limit = cursor === null ? this.#wanted : PAGE;
    const query = new URLSearchParams({ limit: String(limit), q, cursor: cursor ?? '' });
    try {
      const page = await this.#ways.call<SessionPage>('GET', `/sessions?${query}`);
      if (mine !== this.#asked) return q === this.#query.peek() ? this.#newest : false;
      this.#failed = false;
      this.#fleet.value = listed(this.#fleet.peek(), page.sessions, cursor !== null);
      this.#cursor.value = page.next_cursor;
      this.#loaded.value = true;
      return true;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const isKnown = this.#failed && cursor === null;
      this.#failed = true;
      if (problem.code !== 'offline' && !isKnown) this.#ways.tell(problem.code, problem.message);
      return false;
    }
  }

  #poll(): void {
    const again = () => {
      const isAway = this.#link.view.peek().phase !== 'settled' || this.#failed;
      const isNeeded = isAway && !this.#ways.world.hidden();
      if (isNeeded) void this.refresh();
      this.#stop[0] = this.#ways.world.after(POLL_MS, again);
    };
    this.#stop.unshift(this.#ways.world.after(POLL_MS, again));
  }

  #received(frame: BoardFrame): void {
    const isMine = (row: Row) => takesPart(row) && this.#query.peek() === '';
    this.#fleet.value = board(this.#fleet.peek(), frame, isMine);
    // What changed while the socket was away: the list over HTTP knows also what was deleted.
    const isAsked = this.#loaded.peek() || this.#failed;
    if (frame.type === 'fleet' && frame.full && isAsked) void this.refresh();
  }
}
