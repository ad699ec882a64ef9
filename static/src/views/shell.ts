// What the whole page has: who looks, their sessions, the models, and the session on screen.

import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Drafts } from '../session/drafts.ts';
import type { Myself } from '../session/me.ts';
import { OpenSession } from '../session/open_session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Ways } from '../session/ways.ts';
import { Begun, Desk } from './desk.ts';
import { forget, remember, remembered } from './surroundings.ts';

export type Overlay = 'none' | 'shortcuts' | 'files' | 'sharing' | 'settings';

export interface Shell {
  readonly ways: Ways;
  readonly myself: Myself;
  readonly me: ReadonlySignal<string>;
  readonly sessions: Sessions;
  readonly drafts: Drafts;
  readonly desks: Desks;
  readonly overlay: Signal<Overlay>;
}

/** Who has no session yet, or is not logged in, is told on a phone, too, what this is. */
export function isNewcomer({ myself, sessions }: Shell): boolean {
  if (myself.reason.value === 'unauthenticated') return true;
  return sessions.loaded.value && sessions.list.value.length === 0 && sessions.query.value === '';
}

/** Where the text for a session that is not there yet is kept. */
export const NEW = 'new';

/** How many sessions keep what was begun in them; the text is kept for all. */
const MOST_BEGUN = 8;

/** At most one session is open, with one socket; the list has the other that a page has. */
export class Desks {
  readonly #desk = signal<Desk | null>(null);
  readonly #ways: Ways;
  readonly #drafts: Drafts;
  readonly #me: ReadonlySignal<string>;
  /** The one that was looked at last stands last. */
  readonly #begun = new Map<string, Begun>();
  #stop = (): void => {};

  constructor(ways: Ways, drafts: Drafts, me: ReadonlySignal<string>) {
    this.#ways = ways;
    this.#drafts = drafts;
    this.#me = me;
  }

  get current(): ReadonlySignal<Desk | null> {
    return this.#desk;
  }

  /** The desk of a session; the one before is put away, with its draft. */
  at(id: string): Desk {
    const current = this.#desk.peek();
    if (current?.open.id === id) return current;
    this.leave();
    const { text, stop } = keptText(this.#drafts, id);
    const desk = new Desk(new OpenSession(id, this.#ways), text, this.#me, this.#begunIn(id));
    desk.open.open();
    this.#stop = () => {
      stop();
      desk.open.close();
    };
    this.#desk.value = desk;
    return desk;
  }

  leave(): void {
    this.#stop();
    this.#stop = () => {};
    this.#desk.value = null;
  }

  #begunIn(id: string): Begun {
    const begun = this.#begun.get(id) ?? new Begun(id);
    this.#begun.delete(id);
    this.#begun.set(id, begun);
    for (const old of [...this.#begun.keys()].slice(0, -MOST_BEGUN)) this.#begun.delete(old);
    return begun;
  }
}

const paragraphs = (...texts: readonly (string | null)[]): string => texts.filter(Boolean).join('\n\n');

/** A text that is kept while it is written, and there again after a reload. */
export function keptText(drafts: Drafts, id: string): { text: Signal<string>; stop: () => void } {
  const text = signal('');
  const last = `draft:${id}`;
  const early = `draft:early:${id}`; // written before it was known what stood here
  let stop = (): void => {};
  let left = false;
  let known = false;
  // A page that goes has no time for the database: its last words wait where writing takes none.
  // Also that there are none: the text that was sent must not come back as one to send.
  let changed = false;
  const leave = (): void => {
    if (!known) {
      if (text.peek()) remember(early, paragraphs(remembered(early), text.peek()));
    } else if (changed || text.peek()) remember(last, text.peek());
    else forget(last);
  };
  addEventListener('pagehide', leave);
  void drafts.of(id).then((stored) => {
    if (left) return;
    text.value = paragraphs(remembered(last) ?? stored, remembered(early), text.peek());
    forget(last);
    forget(early);
    known = true;
    let written = stored;
    stop = text.subscribe((now) => {
      if (now !== written) drafts.keep(id, now);
      changed ||= now !== written;
      written = now;
    });
  });
  return {
    text,
    stop: () => {
      left = true;
      removeEventListener('pagehide', leave);
      stop();
    },
  };
}
