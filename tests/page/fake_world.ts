// A world for tests: time passes when they say so, and they play the other end of each socket.

import type { SocketLike, Woken, World } from '../../static/src/link/world.ts';

export class FakeSocket implements SocketLike {
  readyState = 0;
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  readonly path: string;
  readonly sent: Record<string, unknown>[] = [];
  closedByPage = false;
  readonly #early: readonly object[];

  /** `early`: what it said before anybody listened. */
  constructor(path: string, early: readonly object[] = []) {
    this.path = path;
    this.#early = early;
  }

  start(): void {
    this.says(...this.#early);
  }

  /** What the page asked for: `after`, `log`. */
  get asked(): Record<string, string> {
    return Object.fromEntries(new URLSearchParams(this.path.split('?')[1] ?? ''));
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closedByPage = true;
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }

  says(...frames: readonly object[]): void {
    if (frames.length > 0) this.readyState = 1;
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
  }

  saysText(data: string): void {
    this.readyState = 1;
    this.onmessage?.({ data } as MessageEvent);
  }

  closes(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code } as CloseEvent);
  }
}

export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  /** What the next sockets say before anybody listens. */
  early: readonly object[] = [];
  chance = 1;
  isHidden = false;
  isOnline = true;
  #now = 1_000;
  #wall = 1_700_000_000_000;
  #ids = 0;
  #timers: { at: number; run: () => void }[] = [];
  #listeners = new Map<Woken, Set<(event: { persisted?: boolean }) => void>>();

  now = () => this.#now;
  wall = () => this.#wall;
  random = () => this.chance;
  newId = () => `id${(this.#ids += 1)}`;
  hidden = () => this.isHidden;
  online = () => this.isOnline;

  after = (milliseconds: number, run: () => void): (() => void) => {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  frame = (run: () => void): (() => void) => this.after(16, run);

  socket = (path: string): FakeSocket => {
    const socket = new FakeSocket(path, this.early);
    this.sockets.push(socket);
    return socket;
  };

  on = (name: Woken, run: (event: { persisted?: boolean }) => void): (() => void) => {
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(run));
    return () => all.delete(run);
  };

  // ---- what tests do ---------------------------------------------------------------------------

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nothing was dialled');
    return socket;
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, all) => sum + all.size, 0);
  }

  happens(name: Woken, event: { persisted?: boolean } = {}): void {
    for (const run of [...(this.#listeners.get(name) ?? [])]) run(event);
  }

  hide(isHidden: boolean): void {
    this.isHidden = isHidden;
    this.happens('visibilitychange');
  }

  /** Time passes, and what is due happens in its order. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#clock(Math.max(due.at, this.#now));
      due.run();
    }
    this.#clock(end);
  }

  /** Time passes, but timers sleep: what was due happens at its end. */
  freeze(milliseconds: number): void {
    this.#clock(this.#now + milliseconds);
    this.pass(0);
  }

  /** The machine sleeps (or somebody sets its clock): no time of ours passes. */
  jump(milliseconds: number): void {
    this.#wall += milliseconds;
  }

  #clock(now: number): void {
    this.#wall += now - this.#now;
    this.#now = now;
  }
}

/** Until everything that waits for storage or an answer has had its turn. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
