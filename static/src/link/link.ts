// One WebSocket that comes back by itself: watchdogs, back-off, wake-up calls, and final words.

import { type ReadonlySignal, signal } from '@preact/signals';
import { waitSeconds } from './backoff.ts';
import { hangUp } from './hang_up.ts';
import type { SocketLike, World } from './world.ts';

export const HANDSHAKE_MS = 10_000;
export const SILENCE_MS = 50_000; // two and a half heartbeats
const HIDDEN_MS = 30_000;
const LOOK_MS = 5_000; // how often a watchdog looks, so that it sees when the machine slept
const SLEPT_MS = 30_000;
const JUST_DIALLED_MS = 2_000;
const CALM_MS = 60_000;
const FINAL: ReadonlyMap<number, string> = new Map([
  [1000, 'ended'],
  [4401, 'unauthenticated'],
  [4404, 'no_such_session'],
]);
/** What a server that will be back says when it goes. */
const WAITS: ReadonlyMap<number, string> = new Map([
  [1012, 'server_restarting'],
  [1013, 'too_many_connections'],
]);
const LONGEST_PATIENCE_S = 300;
const OPEN = 1;

export interface LinkView {
  readonly phase: 'closed' | 'connecting' | 'open' | 'settled' | 'waiting';
  /** Times are `Date.now()`: since when it is lost, when it dials again. */
  readonly lostAt: number | null;
  readonly dialAt: number | null;
  /** Why it is closed for good, or why it has to wait. */
  readonly reason: string | null;
  readonly offline: boolean;
}

/** What an HTTP call learned about a handshake that failed; null where it learned nothing. */
export type Finding =
  { readonly final: string } | { readonly reason: string; readonly patience: number };

interface Heard {
  readonly type?: unknown;
  readonly retry_after?: unknown;
}

/** A point in time by both clocks. */
interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** What a link works for: it dials, judges and listens on somebody's behalf. */
export interface Client {
  /** Asked anew at each dial. */
  path(): string;
  /** Whether this frame makes the link good. */
  settles(frame: unknown): boolean;
  received(frame: unknown): void;
  settled?(): void;
  lost?(): void;
  probe?(): Promise<Finding | null>;
}

export class Link {
  readonly #view = signal<LinkView>({
    ...{ phase: 'closed', lostAt: null, dialAt: null, reason: null, offline: false },
  });
  readonly #client: Client;
  readonly #world: World;
  #socket: SocketLike | null = null;
  #cancel = () => {};
  #deaf: (() => void)[] = [];
  #failures = 0;
  #doubts = 0;
  #patience = 0;
  #heardAt = 0;
  #dialledAt: Moment = { now: 0, wall: 0 };
  #dials = 0;
  #settledAt = 0;
  #hiddenAt: Moment | null = null;
  #wasOffline = false;

  constructor(client: Client, world: World) {
    this.#client = client;
    this.#world = world;
  }

  get view(): ReadonlySignal<LinkView> {
    return this.#view;
  }

  open(): void {
    if (this.#deaf.length > 0) return;
    const on = this.#world.on.bind(this.#world);
    this.#deaf = [
      on('visibilitychange', () => this.#seen()),
      on('pageshow', ({ persisted }) => this.#woken(persisted ?? false)),
      on('online', () => this.#online()),
      on('offline', () => this.#offline()),
    ];
    this.#hiddenAt = this.#world.hidden() ? this.#moment() : null;
    this.#set({ lostAt: this.#world.wall(), offline: !this.#world.online() });
    this.#dial();
  }

  close(reason: string | null = null): void {
    for (const stop of this.#deaf.splice(0)) stop();
    const socket = this.#released();
    if (socket) hangUp(socket, this.#world.after);
    this.#set({ phase: 'closed', reason, dialAt: null });
  }

  /** True when it was handed to a link that is good; nothing is kept here. */
  send(frame: object): boolean {
    if (this.#view.peek().phase !== 'settled' || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Wait no longer; also after it was closed for a reason that a person may have mended. */
  dialNow(): void {
    const { phase, reason } = this.#view.peek();
    if (phase === 'waiting') this.#dial();
    else if (phase === 'closed' && reason !== null) this.open();
  }

  /** What came in cannot be right: ask again, each time a little later. */
  mistrust(): void {
    if (this.#world.now() - this.#settledAt > CALM_MS) this.#doubts = 0;
    this.#doubts += 1;
    this.#lost(Math.max(this.#failures, this.#doubts));
  }

  #dial(): void {
    this.#drop();
    if (this.#view.peek().phase === 'settled') {
      this.#set({ phase: 'connecting', lostAt: this.#world.wall() });
      this.#client.lost?.();
    }
    const path = this.#client.path();
    const socket = this.#world.socket(path);
    this.#socket = socket;
    // Events of a socket that another one has taken the place of are nobody's.
    socket.onmessage = ({ data }) => this.#socket === socket && this.#heard(socket, data);
    socket.onclose = ({ code }) => this.#socket === socket && this.#closed(code);
    this.#dials += 1;
    this.#dialledAt = this.#moment();
    this.#heardAt = this.#dialledAt.now;
    this.#set({ phase: 'connecting', dialAt: null, reason: null });
    this.#watch(this.#world.wall() - this.#world.now());
    socket.start?.();
  }

  #heard(socket: SocketLike, data: unknown): void {
    this.#heardAt = this.#world.now();
    const frame = read(data);
    if (frame === null) return this.mistrust();
    if (this.#view.peek().phase === 'connecting') this.#set({ phase: 'open' });
    if (frame.type === 'bye') this.#patience = Number(frame.retry_after) || 0;
    this.#client.received(frame);
    if (this.#socket === socket && this.#client.settles(frame)) this.#settle();
  }

  #settle(): void {
    if (this.#view.peek().phase === 'settled') return;
    this.#failures = 0;
    this.#settledAt = this.#world.now();
    this.#set({ phase: 'settled', lostAt: null });
    this.#client.settled?.();
  }

  #closed(code: number): void {
    const reason = FINAL.get(code);
    if (reason !== undefined) return this.#end(reason);
    const wasRefused = this.#view.peek().phase === 'connecting';
    this.#lost(this.#failures, WAITS.get(code));
    if (wasRefused) void this.#ask();
  }

  /** A refused handshake tells a browser nothing; the same over HTTP does. */
  async #ask(): Promise<void> {
    const dials = this.#dials;
    const found = (await this.#client.probe?.()) ?? null;
    if (found === null || this.#dials !== dials || this.#deaf.length === 0) return;
    if ('final' in found) return this.#end(found.final);
    this.#patience = found.patience;
    this.#wait(this.#failures, found.reason);
  }

  #end(reason: string): void {
    this.close(reason);
    this.#client.lost?.();
  }

  #lost(failures: number, reason: string | null = null): void {
    this.#drop();
    this.#wait(failures, reason);
    this.#failures += 1;
    this.#client.lost?.();
  }

  #wait(failures: number, reason: string | null): void {
    this.#cancel();
    const patience = Math.min(Math.max(this.#patience, 0), LONGEST_PATIENCE_S);
    const ms = 1000 * waitSeconds(failures, this.#world.random(), patience);
    this.#patience = 0;
    this.#cancel = this.#world.after(ms, () => this.#dial());
    const now = this.#world.wall();
    const { lostAt } = this.#view.peek();
    this.#set({ phase: 'waiting', reason, lostAt: lostAt ?? now, dialAt: now + ms });
  }

  /** At once: while it opens, the next one would wait for it. */
  #drop(): void {
    this.#released()?.close();
  }

  #released(): SocketLike | null {
    this.#cancel();
    const socket = this.#socket;
    this.#socket = null;
    return socket;
  }

  /** `ahead`: how far the wall's clock was ahead of ours; it gains while the machine sleeps. */
  #watch(ahead: number): void {
    const silent = this.#world.now() - this.#heardAt;
    const isConnecting = this.#view.peek().phase === 'connecting';
    const left = (isConnecting ? HANDSHAKE_MS : SILENCE_MS) - silent;
    const nowAhead = this.#world.wall() - this.#world.now();
    if (left <= 0) return this.#lost(this.#failures);
    if (nowAhead - ahead > SLEPT_MS) return this.#dial();
    this.#cancel = this.#world.after(Math.min(left, LOOK_MS), () => this.#watch(nowAhead));
  }

  // ---- wake-up calls ---------------------------------------------------------------------------

  #seen(): void {
    if (this.#world.hidden()) {
      this.#hiddenAt ??= this.#moment();
      return;
    }
    const isLong = this.#hiddenAt !== null && this.#since(this.#hiddenAt) > HIDDEN_MS;
    this.#hiddenAt = null;
    this.#woken(isLong);
  }

  #online(): void {
    this.#set({ offline: false });
    this.#woken(this.#wasOffline);
    this.#wasOffline = false;
  }

  #offline(): void {
    this.#wasOffline = true;
    this.#set({ offline: true });
  }

  /** `isDoubtful`: the socket may say that it is open and be dead. One wake-up has many events. */
  #woken(isDoubtful: boolean): void {
    const { phase } = this.#view.peek();
    const isFresh = this.#since(this.#dialledAt) < JUST_DIALLED_MS;
    const isAlive = phase === 'open' || phase === 'settled';
    if (phase === 'waiting' || (!isFresh && (!isAlive || isDoubtful))) this.#dial();
  }

  #moment(): Moment {
    return { now: this.#world.now(), wall: this.#world.wall() };
  }

  /** Milliseconds, also those of a machine that slept; a clock set back takes none away. */
  #since(then: Moment): number {
    const { now, wall } = this.#moment();
    return Math.max(now - then.now, wall - then.wall);
  }

  #set(change: Partial<LinkView>): void {
    this.#view.value = { ...this.#view.peek(), ...change };
  }
}

function read(data: unknown): Heard | null {
  try {
    const frame: unknown = JSON.parse(String(data));
    return typeof frame === 'object' && frame !== null ? (frame as Heard) : null;
  } catch {
    return null;
  }
}
