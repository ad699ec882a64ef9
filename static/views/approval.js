// The question before a call: what exactly will run, and the four things a person can say to it.

import { argumentsView } from './arguments.js';
import { button, h, setShown } from './dom.js';
import { money } from '../words.js';

export class ApprovalForm {
  #error = h('p', { class: 'error', role: 'alert', hidden: true });
  #json = h('textarea', {
    class: 'json',
    spellcheck: 'false',
    'aria-label': 'Arguments as JSON',
    rows: 8,
  });
  #editor = h('div', { hidden: true }, this.#json, this.#error);
  #remember = h('input', { type: 'checkbox' });
  #why = h('input', {
    type: 'text',
    placeholder: 'Why not? The agent reads this (optional)',
    maxlength: 4000,
  });
  #rejecting = h(
    'form',
    { class: 'row', hidden: true, onsubmit: (event) => this.#reject(event) },
    this.#why,
    h('button', { class: 'danger' }, 'Reject'),
  );
  #sending = h('p', { class: 'under', hidden: true }, 'Sending your decision…');

  constructor(entry, { decide }) {
    Object.assign(this, { call: entry.call, given: entry.arguments, decide });
    this.#json.value = JSON.stringify(entry.arguments, null, 2);
    this.shown = argumentsView(entry.arguments);
    this.buttons = h(
      'div',
      { class: 'row wrap' },
      button('Approve', () => this.#approve(), { class: 'primary' }),
      button('Reject…', () => this.#askWhy(), { class: 'quiet' }),
      button('Edit arguments', () => this.#edit(), { class: 'quiet' }),
      h(
        'label',
        { class: 'remember' },
        this.#remember,
        `Do not ask again for ${entry.tool} in this session`,
      ),
    );
    const { reason, cost } = entry.question;
    this.node = h(
      'section',
      { class: 'approval', 'aria-label': `Approval for ${entry.tool}` },
      h(
        'p',
        { class: 'why' },
        h('strong', {}, 'May this run? '),
        reason,
        cost === null ? null : ` · about ${money(cost)}`,
      ),
      this.shown,
      this.#editor,
      this.buttons,
      this.#rejecting,
      this.#sending,
    );
  }

  /** The decision as it stands, or null while the edited JSON cannot be used. */
  approval() {
    const decision = { call: this.call, decision: 'approve' };
    if (this.#remember.checked) decision.remember = 'session';
    if (this.#editor.hidden) return decision;
    const edited = this.#parse();
    if (edited === null) return null;
    const same = JSON.stringify(edited) === JSON.stringify(this.given);
    return same ? decision : { ...decision, arguments: edited };
  }

  setSending(sending) {
    setShown(this.#sending, sending);
    for (const control of this.node.querySelectorAll('button, input, textarea'))
      control.disabled = sending;
  }

  #approve() {
    const decision = this.approval();
    if (decision) this.decide([decision]);
  }

  #reject(event) {
    event.preventDefault();
    const feedback = this.#why.value.trim();
    this.decide([{ call: this.call, decision: 'reject', ...(feedback ? { feedback } : {}) }]);
  }

  #askWhy() {
    this.#rejecting.hidden = false;
    this.#why.focus();
  }

  #edit() {
    this.#editor.hidden = false;
    this.shown.hidden = true;
    this.#json.focus();
  }

  #parse() {
    let problem = 'Arguments are one JSON object: {"name": value}.';
    try {
      const value = JSON.parse(this.#json.value);
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
        this.#error.hidden = true;
        return value;
      }
    } catch (error) {
      problem = `This is not JSON yet: ${error.message}`;
    }
    this.#error.textContent = problem;
    this.#error.hidden = false;
    return null;
  }
}
