// The text in each composer: kept a moment after it was typed, there again after a reload.

import type { Kept } from '../link/kept.ts';
import type { World } from '../link/world.ts';

const QUIET_MS = 300;

export class Drafts {
  readonly #kept: Kept;
  readonly #world: World;
  readonly #waiting = new Map<string, { readonly text: string; readonly cancel: () => void }>();

  constructor({ kept, world }: { readonly kept: Kept; readonly world: World }) {
    this.#kept = kept;
    this.#world = world;
    // A page that is hidden may never be seen again.
    world.on('pagehide', () => this.flush());
    world.on('visibilitychange', () => world.hidden() && this.flush());
  }

  async of(session: string): Promise<string> {
    return this.#waiting.get(session)?.text ?? this.#kept.draft(session);
  }

  keep(session: string, text: string): void {
    this.#waiting.get(session)?.cancel();
    const cancel = this.#world.after(QUIET_MS, () => this.#write(session));
    this.#waiting.set(session, { text, cancel });
  }

  flush(): void {
    for (const session of [...this.#waiting.keys()]) this.#write(session);
  }

  #write(session: string): void {
    const waiting = this.#waiting.get(session);
    if (waiting === undefined) return;
    waiting.cancel();
    this.#waiting.delete(session);
    void this.#kept.keepDraft(session, waiting.text);
  }
}
