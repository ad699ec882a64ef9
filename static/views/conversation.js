// The conversation as a list of entries that stays at its end only while the reader is there.

import { Keyed, button, h, setShown, setText } from './dom.js';
import { AssistantView, NoteView, OutgoingView, UserView } from './message.js';
import { ToolView } from './tool.js';

const NEAR_END = 48; // pixels

const VIEWS = new Map([
  ['user', UserView],
  ['assistant', AssistantView],
  ['tool', ToolView],
  ['note', NoteView],
]);

export class Conversation {
  #list = h('div', { class: 'entries' });
  #sending = h('div', { class: 'entries' });
  #older = button('Show earlier messages', () => this.#loadOlder(), { class: 'link older' });
  #empty = h('div', { class: 'empty' });
  #after = h(
    'div',
    { class: 'after' },
    button('Try again', () => this.acts.retry(), { class: 'link' }),
    button('Undo', () => this.acts.undo(), { class: 'link' }),
  );
  #content = h(
    'div',
    { class: 'column' },
    this.#older,
    this.#empty,
    this.#list,
    this.#sending,
    this.#after,
  );
  #scroller = h('div', { class: 'scroller', tabindex: '-1' }, this.#content);
  #pill = button('', () => this.toEnd(), { class: 'pill', hidden: true });
  #views = new Map();
  atEnd = true;
  #seen = 0;
  #length = 0;
  node = h('div', { class: 'conversation' }, this.#scroller, this.#pill);

  /** `acts`: what SessionPage lets people do; `moved()`: the reader went up or down. */
  constructor(acts, welcome, moved) {
    Object.assign(this, { acts, moved });
    this.#empty.append(welcome);
    this.entries = new Keyed(
      this.#list,
      (entry) => entry.key,
      (entry) => this.#make(entry),
    );
    this.outgoing = new Keyed(
      this.#sending,
      (item) => item.frame.id,
      () => new OutgoingView(acts),
    );
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.resized = new ResizeObserver(() => (this.atEnd ? this.#keepAtEnd() : this.#scrolled()));
    this.resized.observe(this.#content);
    this.resized.observe(this.#scroller);
  }

  draw(state, outbox, phase) {
    const rulings = outbox.filter((item) => item.frame.type === 'approval');
    this.entries.draw(state.entries);
    for (const entry of state.entries) {
      if (entry.state === 'asks') this.#views.get(entry.key).draw(entry);
    }
    const inputs = outbox.filter((item) => item.frame.type === 'user_input');
    this.outgoing.draw(inputs);
    setShown(this.#older, state.oldest > 1 && state.synced);
    setShown(
      this.#empty,
      state.synced && !state.entries.length && !inputs.length && !rulings.length,
    );
    const last = state.entries.findLast((entry) => entry.turn);
    const settled = phase === 'idle' && state.synced && !inputs.length;
    setShown(this.#after, settled && last !== undefined && !last.undone);
    this.#keepAtEnd();
    this.#length = state.entries.length;
    this.#drawPill();
  }

  /** Decisions for every open question; null when one of the edited ones cannot be used. */
  approvals(entries) {
    const all = entries.map((entry) => this.#views.get(entry.key).approval);
    return all.includes(null) ? null : all;
  }

  reveal(key) {
    this.#views.get(key)?.node.scrollIntoView({ block: 'center' });
  }

  toEnd() {
    this.atEnd = true;
    this.#keepAtEnd();
    this.#drawPill();
  }

  /** What the reader looks at stays where it is while older entries come in above it. */
  async #loadOlder() {
    const below = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    await this.acts.loadEarlier();
    requestAnimationFrame(() => {
      this.#scroller.scrollTop = this.#scroller.scrollHeight - below;
    });
  }

  #make(entry) {
    const view = new (VIEWS.get(entry.kind))(this.acts);
    this.#views.set(entry.key, view);
    return view;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.#drawPill();
    this.moved();
  }

  #keepAtEnd() {
    if (this.atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #drawPill() {
    if (this.atEnd) this.#seen = this.#length;
    const fresh = this.#length - this.#seen;
    setText(this.#pill, fresh > 0 ? `${fresh} new ↓` : 'To the end ↓');
    setShown(this.#pill, !this.atEnd);
  }
}
