// Every session this person may see: listed over HTTP, kept true by the dashboard socket.

import { call, socketAddress } from './api.js';
import { Link } from './link.js';

const PAGE = 50;
const POLL_MS = 15_000; // only while the socket is away

export class Fleet {
  sessions = [];
  rows = new Map();
  totals = null;
  more = null;
  query = '';
  loaded = false;
  me = null;
  #asked = 0;

  constructor({ changed, tell }) {
    Object.assign(this, { changed, tell });
    this.link = new Link({
      address: () => socketAddress('/dashboard/socket'),
      settled: (frame) => frame.type === 'fleet',
      received: (frame) => this.#received(frame),
      changed: () => {},
    });
  }

  start(me) {
    this.me = me;
    this.refresh();
    this.link.start();
    this.polling = setInterval(
      () => this.link.phase !== 'settled' && !document.hidden && this.refresh(),
      POLL_MS,
    );
  }

  search(query) {
    this.query = query;
    this.refresh();
  }

  async refresh() {
    await this.#load(null);
  }

  async loadMore() {
    await this.#load(this.more);
  }

  known(id) {
    return this.sessions.find((session) => session.id === id);
  }

  /** Shown at once, whichever way the news came. */
  put(session) {
    const others = this.sessions.filter(({ id }) => id !== session.id);
    this.sessions = [session, ...others].sort((a, b) => b.active_at.localeCompare(a.active_at));
    this.changed();
  }

  drop(id) {
    this.sessions = this.sessions.filter((session) => session.id !== id);
    this.rows.delete(id);
    this.changed();
  }

  /** Only the newest question's answer counts. */
  async #load(cursor) {
    const mine = ++this.#asked;
    const query = new URLSearchParams({ limit: PAGE, q: this.query, cursor: cursor ?? '' });
    try {
      const { sessions, next_cursor: more } = await call('GET', `/sessions?${query}`);
      if (mine !== this.#asked) return;
      const newest = sessions.map((session) => {
        const row = this.rows.get(session.id);
        return row && row.head >= session.head ? row : session;
      });
      this.sessions = cursor ? [...this.sessions, ...newest] : newest;
      Object.assign(this, { more, loaded: true });
      this.changed();
    } catch ({ code, message }) {
      if (code !== 'offline') this.tell(code, message);
    }
  }

  #received(frame) {
    if (frame.type !== 'fleet') return;
    if (frame.full) {
      this.rows = new Map();
      if (this.loaded) this.refresh();
    }
    for (const row of frame.sessions) this.rows.set(row.id, row);
    for (const id of frame.gone ?? []) this.drop(id);
    this.totals = frame.totals ?? this.totals;
    const mine = frame.sessions.filter(
      ({ owner, id }) => this.known(id) || (owner === this.me?.user.id && !this.query),
    );
    for (const row of mine) this.put(row);
    this.changed();
  }
}
