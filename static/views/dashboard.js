// All sessions at a glance, read only: those that need someone first.

import { activityWord, ago, count, money, stateWord } from '../words.js';
import { Keyed, fill, h } from './dom.js';

const RANK = new Map([
  ['awaiting_approval', 0],
  ['running', 1],
  ['idle', 2],
  ['ended', 3],
]);

export class DashboardPage {
  #said = h('p', { class: 'under' }, 'Connecting…');
  #rows = h('tbody');
  node = h(
    'main',
    { class: 'page' },
    h(
      'header',
      { class: 'top' },
      h('a', { class: 'back', href: '#/', 'aria-label': 'All sessions' }, '‹'),
      h('h1', {}, 'Dashboard'),
    ),
    h(
      'div',
      { class: 'scroller' },
      h(
        'div',
        { class: 'column wide' },
        this.#said,
        h(
          'div',
          { class: 'table' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                ['Session', 'Owner', 'State', 'Tokens/s', 'Viewers', 'Active'].map((name) =>
                  h('th', {}, name),
                ),
              ),
            ),
            this.#rows,
          ),
        ),
      ),
    ),
  );

  constructor(fleet) {
    this.fleet = fleet;
    this.rows = new Keyed(
      this.#rows,
      (row) => row.id,
      () => new RowView(),
    );
  }

  open() {
    this.draw();
  }

  close() {}

  escape() {
    return false;
  }

  draw() {
    const { rows, totals } = this.fleet;
    this.rows.draw(
      [...rows.values()].sort(
        (a, b) =>
          (RANK.get(a.state) ?? 9) - (RANK.get(b.state) ?? 9) ||
          b.active_at.localeCompare(a.active_at),
      ),
      Math.floor(Date.now() / 60_000),
    );
    if (totals) this.#said.textContent = sentence(totals);
  }
}

function sentence({
  sessions,
  viewers,
  tokens_per_second: speed,
  errors_per_minute: errors,
  cost_usd_today: cost,
}) {
  const parts = [
    `${sessions.stored} sessions, ${sessions.running} working`,
    sessions.awaiting_approval
      ? `${sessions.awaiting_approval} waiting for someone`
      : 'none waiting',
    `${viewers} ${viewers === 1 ? 'viewer' : 'viewers'}`,
    `${Math.round(speed ?? 0)} tokens/s`,
    errors ? `${errors} ${errors === 1 ? 'error' : 'errors'} a minute` : null,
    cost ? `${money(cost)} today` : null,
  ];
  return `${parts.filter(Boolean).join(' · ')}.`;
}

class RowView {
  node = h('tr');

  draw({ id, title, owner, state, activity, tokens_per_second: speed, viewers, active_at: at }) {
    const doing = [stateWord(state), activityWord(activity)].filter(Boolean).join(' · ');
    fill(
      this.node,
      h('td', {}, h('a', { href: `#/s/${encodeURIComponent(id)}` }, title || 'New session')),
      h('td', {}, owner),
      h('td', {}, h('span', { class: `badge is-${state}` }, doing)),
      h('td', {}, speed ? count(Math.round(speed)) : ''),
      h('td', {}, viewers ? String(viewers) : ''),
      h('td', {}, ago(at)),
    );
  }
}
