// The list of sessions, live: what each one is doing and whether it needs someone.

import { Keyed, button, fill, h, setShown, setText } from './dom.js';
import { ago, stateWord } from '../words.js';

export class Sidebar {
  #list = h('nav', { class: 'sessions', 'aria-label': 'Sessions' });
  #none = h('p', { class: 'under pad' });
  #more = button('Show more', () => this.acts.more(), { class: 'link pad' });
  #search = h('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search sessions' });
  #who = h('span');
  node = h(
    'aside',
    { class: 'side' },
    h(
      'div',
      { class: 'brand' },
      h('a', { href: '#/' }, 'Mooring'),
      h('a', { href: '#/new', class: 'button primary new' }, 'New session'),
    ),
    h('div', { class: 'pad' }, this.#search),
    this.#list,
    this.#none,
    this.#more,
    h('footer', {}, this.#who, h('a', { href: '#/dashboard' }, 'Dashboard')),
  );

  /** `acts`: search(text), more(), rename(session), remove(session). */
  constructor(acts) {
    this.acts = acts;
    this.rows = new Keyed(
      this.#list,
      (session) => session.id,
      () => new Row(acts),
    );
    this.#search.addEventListener('input', () => acts.search(this.#search.value.trim()));
  }

  draw({ sessions, more, me, query, loaded }, current) {
    const minute = Math.floor(Date.now() / 60_000);
    if (this.look?.current !== current || this.look.minute !== minute)
      this.look = { current, minute };
    this.rows.draw(sessions, this.look);
    setShown(this.#none, loaded && !sessions.length);
    setText(this.#none, query ? 'Nothing found.' : 'No sessions yet.');
    setShown(this.#more, Boolean(more));
    setText(this.#who, me?.user.name ?? '');
  }
}

class Row {
  #title = h('span', { class: 'row-title' });
  #when = h('span', { class: 'under' });
  #badge = h('span', { class: 'badge' });
  #link = h('a', {}, this.#title, h('span', { class: 'row between' }, this.#badge, this.#when));
  node = h(
    'div',
    { class: 'session' },
    this.#link,
    h(
      'span',
      { class: 'row-acts' },
      button('Rename', () => this.acts.rename(this.session), { class: 'link' }),
      button('Delete', () => this.acts.remove(this.session), { class: 'link' }),
    ),
  );

  constructor(acts) {
    this.acts = acts;
  }

  draw(session, { current }) {
    this.session = session;
    const { id, title, state, active_at: at, queue } = session;
    this.#link.setAttribute('href', `#/s/${encodeURIComponent(id)}`);
    this.node.classList.toggle('current', id === current);
    setText(this.#title, title || 'New session');
    this.#badge.className = `badge is-${state}`;
    fill(this.#badge, stateWord(state), queue ? ` · ${queue} queued` : '');
    setText(this.#when, ago(at));
  }
}
