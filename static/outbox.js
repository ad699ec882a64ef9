// What was asked of a session and not yet answered: kept over reloads, sent again under its id.

const STALE_APPROVAL_MS = 600_000;

export class Outbox {
  #items;

  constructor(session, { storage = sessionStorage, now = Date.now } = {}) {
    Object.assign(this, { key: `outbox:${session}`, storage, now });
    this.#items = this.#read();
  }

  get items() {
    return this.#items;
  }

  /** `then` is asked when this is accepted. */
  add(frame, then = null) {
    this.#keep([...this.#items, { frame, then, at: this.now(), state: 'waiting' }]);
  }

  find(id) {
    return this.#items.find((item) => item.frame.id === id);
  }

  mark(id, change) {
    this.#keep(this.#items.map((item) => (item.frame.id === id ? { ...item, ...change } : item)));
  }

  remove(id) {
    this.#keep(this.#items.filter((item) => item.frame.id !== id));
  }

  /** An accepted item has done its part once the event it caused is on the page. */
  shown(seq) {
    if (!this.#items.some((item) => item.state === 'accepted' && item.seq <= seq)) return;
    this.#keep(this.#items.filter((item) => item.state !== 'accepted' || item.seq > seq));
  }

  /** Rulings made too long ago are not sent: the person should look again. */
  takeStale() {
    const old = (item) =>
      item.frame.type === 'approval' && this.now() - item.at > STALE_APPROVAL_MS;
    const stale = this.#items.filter(old);
    if (stale.length) this.#keep(this.#items.filter((item) => !old(item)));
    return stale;
  }

  /** Frames to send on a fresh connection, oldest first. */
  unanswered() {
    return this.#items.filter((item) => item.state === 'waiting' || item.state === 'sent');
  }

  #read() {
    try {
      return JSON.parse(this.storage.getItem(this.key) ?? '[]');
    } catch {
      return [];
    }
  }

  #keep(items) {
    this.#items = items;
    try {
      if (items.length) this.storage.setItem(this.key, JSON.stringify(items));
      else this.storage.removeItem(this.key);
    } catch {
      // A full or forbidden storage costs only what a reload would have kept.
    }
  }
}
