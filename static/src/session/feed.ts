// Frames in, a session's state out: once per painted frame, however many came.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { World } from '../link/world.ts';
import { applyAll } from '../store/reduce.ts';
import { type SessionState, empty } from '../store/state.ts';
import type { ServerFrame } from '../wire.ts';

/** More are not kept waiting: a page that is not painted must not hoard them. */
const MOST_WAITING = 10_000;
/** A replay is shown when it is whole, unless it takes longer. */
const REPLAY_MS = 250;

export class Feed {
  readonly #state = signal<SessionState>(empty);
  readonly #world: World;
  readonly #changed: (state: SessionState) => void;
  #waiting: ServerFrame[] = [];
  #cancel: (() => void) | null = null;
  #replaying = false;
  #firstSync: number | null = null;

  /** `changed` hears of each new state, also of one with a fault. */
  constructor(world: World, changed: (state: SessionState) => void) {
    this.#world = world;
    this.#changed = changed;
  }

  get state(): ReadonlySignal<SessionState> {
    return this.#state;
  }

  /** What the log had when all of it was here for the first time: later events are news. */
  get newsAfter(): number | null {
    return this.#firstSync;
  }

  take(frame: ServerFrame): void {
    this.#waiting.push(frame);
    if (frame.type === 'hello') this.#replaying = true;
    if (frame.type === 'synced') this.#firstSync ??= frame.seq;
    if (frame.type === 'synced' && this.#replaying) {
      this.#replaying = false;
      this.#stop();
    }
    if (this.#waiting.length >= MOST_WAITING) this.flush();
    else this.#cancel ??= this.#soon();
  }

  /** Everything that came is in the state behind this. */
  flush(): void {
    this.#stop();
    if (this.#waiting.length === 0) return;
    const frames = this.#waiting;
    this.#waiting = [];
    this.#state.value = applyAll(this.#state.peek(), frames);
    this.#changed(this.#state.peek());
  }

  /** What came before the page was drawn at all is in its first picture, unless more is on its way. */
  begin(): void {
    if (!this.#replaying) this.flush();
  }

  replace(state: SessionState): void {
    this.flush();
    this.#state.value = state;
  }

  #soon(): () => void {
    const flush = () => {
      this.#cancel = null;
      this.flush();
    };
    return this.#replaying ? this.#world.after(REPLAY_MS, flush) : this.#world.frame(flush);
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
