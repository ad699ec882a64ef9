// The top of a session: its name, its state, and the rarer things one can do with it.

import { button, fill, h, setShown, setText } from './dom.js';
import { activityWord, count, money, stateWord } from '../words.js';
import { sessionPath } from '../api.js';

export class Header {
  #title = h('h1');
  #badge = h('span', { class: 'badge' });
  node;

  constructor(id, acts) {
    const item = (label, act) =>
      button(
        label,
        () => {
          this.menu.open = false;
          act();
        },
        { role: 'menuitem' },
      );
    const file = (label, format) =>
      h(
        'a',
        {
          role: 'menuitem',
          download: '',
          href: `/api${sessionPath(id, `/export?format=${format}`)}`,
          onclick: () => {
            this.menu.open = false;
          },
        },
        label,
      );
    this.menu = h(
      'details',
      { class: 'menu' },
      h('summary', { 'aria-label': 'More' }, '⋯'),
      h(
        'div',
        { class: 'sheet', role: 'menu' },
        item('Rename', acts.rename),
        item('Files', acts.files),
        h('hr'),
        item('Undo the last turn', acts.undo),
        item('Try the last turn again', acts.retry),
        item('Summarise to free context', acts.compact),
        h('hr'),
        file('Export as Markdown', 'md'),
        file('Export as JSON lines', 'jsonl'),
        h('hr'),
        item('Delete session', acts.remove),
      ),
    );
    this.menu.addEventListener('focusout', (event) => {
      if (!this.menu.contains(event.relatedTarget)) this.menu.open = false;
    });
    this.#title.addEventListener('dblclick', acts.rename);
    this.node = h(
      'header',
      { class: 'top' },
      h('a', { class: 'back', href: '#/', 'aria-label': 'All sessions' }, '‹'),
      this.#title,
      this.#badge,
      this.menu,
    );
  }

  draw(session, phase) {
    setText(this.#title, session?.title || 'New session');
    this.#badge.className = `badge is-${phase}`;
    setText(this.#badge, stateWord(phase));
  }
}

/** Below the composer: what the agent does, how full its context is, who else is here. */
export class StatusLine {
  #doing = h('span', { class: 'doing' });
  #meter = h('meter', {
    min: 0,
    max: 1,
    low: 0.7,
    high: 0.9,
    optimum: 0,
    'aria-label': 'Context used',
  });
  #context = h('span', { class: 'context', hidden: true });
  #more = h('span');
  node = h(
    'div',
    { class: 'status' },
    this.#doing,
    h('span', { class: 'row' }, this.#context, this.#more),
  );

  draw(state, phase, stopping) {
    const { status, used } = state;
    const doing = stopping
      ? 'Stopping…'
      : [stateWord(phase), activityWord(status?.activity)].filter(Boolean).join(' · ');
    this.#doing.className = `doing is-${phase}`;
    setText(this.#doing, doing);
    const context = status?.context;
    setShown(this.#context, Boolean(context?.limit && context.used));
    if (context?.limit && context.used) {
      this.#meter.value = context.used / context.limit;
      const share = Math.round((context.used / context.limit) * 100);
      if (this.#context.dataset.said !== `${context.used}`) {
        this.#context.dataset.said = `${context.used}`;
        fill(this.#context, this.#meter, ` ${share}% of ${count(context.limit)}`);
      }
    }
    const viewers = (status?.viewers ?? 1) > 1 ? `${status.viewers} viewers` : '';
    setText(this.#more, [used.cost ? money(used.cost) : '', viewers].filter(Boolean).join(' · '));
  }
}

export class Choices {
  #model = h('select', { 'aria-label': 'Model', class: 'model' });
  #auto = h('input', { type: 'checkbox', role: 'switch' });
  node = h(
    'span',
    { class: 'row choices' },
    this.#model,
    h(
      'label',
      { class: 'auto', title: 'Approve every call without asking' },
      this.#auto,
      'Auto-approve',
    ),
  );

  constructor({ setModel, setAutoApproval }) {
    this.#model.addEventListener('change', () => setModel(this.#model.value));
    this.#auto.addEventListener('change', () => setAutoApproval(this.#auto.checked));
    setShown(this.#auto.parentNode, Boolean(setAutoApproval));
  }

  get model() {
    return this.#model.value;
  }

  draw(models, { model: current, auto = false }) {
    const strange = current && !models.some(({ id }) => id === current) ? current : null;
    if (models !== this.models || strange !== this.strange) {
      Object.assign(this, { models, strange });
      const added = strange ? [{ id: strange, label: strange, available: true }] : [];
      fill(this.#model, [...models, ...added].map(modelOption));
    }
    if (document.activeElement !== this.#model && current) this.#model.value = current;
    this.#auto.checked = auto;
  }
}

function modelOption({ id, label, available, why_not: why }) {
  const words = available ? label : `${label} (${why ?? 'not available'})`;
  return h('option', { value: id, disabled: !available, title: why }, words);
}
