// What stands between the conversation and the composer: plan, questions, queue, connection.

import { Keyed, button, fill, h, setShown, setText } from './dom.js';
import { closedWords } from '../words.js';

const QUIET_MS = 3_000; // shorter losses are nobody's business
const CHIP_MS = 10_000;
const MARKS = new Map([
  ['pending', '○'],
  ['in_progress', '◐'],
  ['completed', '●'],
]);

export class PlanView {
  #label = h('summary');
  #list = h('ol');
  node = h('details', { class: 'plan', hidden: true }, this.#label, this.#list);

  draw(items) {
    setShown(this.node, items.length > 0);
    if (items === this.items) return;
    this.items = items;
    const done = items.filter((item) => item.status === 'completed').length;
    const now =
      items.find((item) => item.status === 'in_progress') ??
      items.find((item) => item.status === 'pending');
    fill(
      this.#label,
      h('strong', {}, `Plan ${done} of ${items.length}`),
      now ? ` · ${now.content}` : ' · all done',
    );
    fill(
      this.#list,
      items.map(({ content, status }) =>
        h(
          'li',
          { class: `is-${status}` },
          h('span', { 'aria-label': status }, MARKS.get(status) ?? '○'),
          content,
        ),
      ),
    );
  }
}

/** The sticky bar: however far up the reader is, a question is one tap away. */
export class AskBar {
  #text = h('span');
  #all = button('Approve all', () => this.acts.approveAll(), { class: 'primary' });
  node = h(
    'div',
    { class: 'bar ask', hidden: true },
    this.#text,
    h(
      'span',
      { class: 'row' },
      button('Show', () => this.acts.showAsked(), { class: 'quiet' }),
      this.#all,
    ),
  );

  constructor(acts) {
    this.acts = acts;
  }

  draw(asked) {
    setShown(this.node, asked.length > 0);
    const one = asked.length === 1;
    setText(
      this.#text,
      one
        ? `${asked[0].tool} waits for your approval`
        : `${asked.length} calls wait for your approval`,
    );
    setText(this.#all, one ? 'Approve' : 'Approve all');
  }
}

export class QueueView {
  #held = h(
    'div',
    { class: 'row between' },
    h('span', {}, 'On hold: the last turn did not finish.'),
    button('Continue', () => this.acts.resume(), { class: 'primary' }),
  );
  #list = h('ul');
  node = h(
    'section',
    { class: 'bar queue', hidden: true, 'aria-label': 'Queued messages' },
    this.#held,
    this.#list,
  );

  constructor(acts) {
    this.acts = acts;
    this.rows = new Keyed(
      this.#list,
      (row) => row.submission,
      () => this.#row(),
    );
  }

  draw(status) {
    const queue = status?.queue ?? [];
    setShown(this.node, queue.length > 0);
    setShown(this.#held, Boolean(status?.held));
    this.rows.draw(queue, status?.state);
  }

  #row() {
    const node = h('li', { class: 'row between' });
    return {
      node,
      draw: (row, state) =>
        fill(
          node,
          h(
            'span',
            { class: 'queued-text' },
            row.delivery === 'steer' ? 'Joins soon: ' : 'Next: ',
            row.text,
          ),
          h(
            'span',
            { class: 'row' },
            state === 'running' && row.delivery !== 'steer'
              ? button('Steer now', () => this.acts.steerNow(row), { class: 'link' })
              : null,
            button('Withdraw', () => this.acts.withdraw(row), { class: 'link' }),
          ),
        ),
    };
  }
}

/** The transport, which is not the agent: silent below 3 s, a chip below 10 s, then a banner. */
export class ConnectionView {
  #text = h('span');
  #now = button('Retry now', () => this.link.dialNow(), { class: 'quiet' });
  node = h('div', { class: 'bar connection', hidden: true, role: 'status' }, this.#text, this.#now);

  constructor(link) {
    this.link = link;
  }

  draw(waiting) {
    const { phase, reason, lostAt, dialAt } = this.link;
    const lost = lostAt === null ? 0 : Date.now() - lostAt;
    setShown(this.node, phase === 'closed' ? reason !== null : lost > QUIET_MS);
    setShown(this.#now, phase === 'waiting' && lost > CHIP_MS);
    this.node.classList.toggle('chip', phase !== 'closed' && lost <= CHIP_MS);
    if (phase === 'closed') return setText(this.#text, reason ? closedWords(reason) : '');
    if (lost <= CHIP_MS) return setText(this.#text, 'Reconnecting…');
    const left = Math.max(0, Math.ceil(((dialAt ?? 0) - Date.now()) / 1000));
    const kept = waiting
      ? ` ${waiting} ${waiting === 1 ? 'message is' : 'messages are'} sent when it is back.`
      : '';
    const trying = phase === 'waiting' ? `Next try in ${left} s.` : 'Trying…';
    setText(this.#text, `No connection; the agent keeps working.${kept} ${trying}`);
  }
}
