// The first ten seconds: what this is, and what to type.

import { call, newId } from '../api.js';
import { Outbox } from '../outbox.js';
import { Composer } from './composer.js';
import { button, h } from './dom.js';
import { Choices } from './header.js';

const EXAMPLES = [
  'Show me what you can do',
  'Write a small Python script that prints the first ten primes, and run it',
  'Make a plan for fine-tuning a small language model on my data',
];

export function examples(say) {
  return h(
    'div',
    { class: 'welcome' },
    h('h2', {}, 'An agent that keeps working while you come and go.'),
    h(
      'p',
      {},
      'Say what you want done. It plans, writes and runs code in a sandbox, and asks before ' +
        'anything risky. Close the page whenever you like: it goes on, and you find every word ' +
        'where you left it.',
    ),
    h(
      'ul',
      { class: 'examples' },
      EXAMPLES.map((text) =>
        h(
          'li',
          {},
          button(text, () => say(text)),
        ),
      ),
    ),
  );
}

export class WelcomePage {
  /** `app`: tell, models(), defaultModel(). */
  constructor(app) {
    this.app = app;
    this.composer = new Composer({ say: (text) => this.#begin(text), tell: app.tell }, 'draft:new');
    this.composer.draw({ busy: false, stopping: null, ended: false, canAttach: false });
    this.choices = new Choices({ setModel: () => {} });
    this.composer.slot.append(this.choices.node);
    this.key = newId();
    this.node = h(
      'main',
      { class: 'page' },
      h(
        'header',
        { class: 'top only-narrow' },
        h('a', { class: 'back', href: '#/', 'aria-label': 'All sessions' }, '‹'),
        h('h1', {}, 'New session'),
      ),
      h(
        'div',
        { class: 'conversation' },
        h(
          'div',
          { class: 'scroller' },
          h(
            'div',
            { class: 'column' },
            h(
              'div',
              { class: 'empty' },
              examples((text) => this.#begin(text)),
            ),
          ),
        ),
      ),
      h('div', { class: 'dock' }, this.composer.node),
    );
  }

  open() {
    this.composer.focus();
  }

  draw() {
    this.choices.draw(this.app.models(), { model: this.choices.model || this.app.defaultModel() });
  }

  close() {}

  escape() {
    return false;
  }

  /** The first message waits in the new session's outbox, so that nothing can come between. */
  async #begin(text) {
    try {
      const model = this.choices.model;
      const { id } = await call('POST', '/sessions', {
        body: model ? { model } : {},
        key: this.key,
      });
      new Outbox(id).add({
        type: 'user_input',
        id: newId(),
        text,
        delivery: 'queue',
        attachments: [],
      });
      location.hash = `#/s/${encodeURIComponent(id)}`;
    } catch ({ code, message }) {
      this.app.tell(code, message);
      this.composer.put(text);
    }
  }
}
