// What people and the agent said, and the notes between: one view for each entry.

import { button, fill, h, setShown, setText } from './dom.js';
import { Prose } from './text.js';
import { count, noteWords } from '../words.js';
import { filePath, sessionPath } from '../api.js';

export const fileLink = (session, path) =>
  h(
    'a',
    {
      class: 'file',
      href: `/api${sessionPath(session, `/files/${filePath(path)}`)}`,
      download: '',
    },
    path,
  );

export class UserView {
  node = h('article', { class: 'entry user' });

  constructor({ session, again }) {
    Object.assign(this, { session, again });
  }

  draw({ text, author, steered, attachments, undone, retried }) {
    this.node.classList.toggle('undone', Boolean(undone));
    setShown(this.node, !retried);
    const about = [steered ? 'joined the running turn' : '', undone ? 'undone' : '']
      .filter(Boolean)
      .join(' · ');
    fill(
      this.node,
      h('div', { class: 'bubble', title: author }, text),
      h(
        'div',
        { class: 'under' },
        attachments.map((path) => fileLink(this.session, path)),
        about,
        undone ? button('Edit and send again', () => this.again(text), { class: 'link' }) : null,
      ),
    );
  }
}

/** A message on its way: sending, kept for the connection, or refused. */
export class OutgoingView {
  node = h('article', { class: 'entry user outgoing' });

  constructor({ sendAgain, forget, again }) {
    Object.assign(this, { sendAgain, forget, again });
  }

  draw({ frame, state, message }) {
    const refused = state === 'refused';
    const told = refused
      ? `Not sent: ${message}`
      : state === 'waiting'
        ? 'Will be sent when the connection is back'
        : 'Sending…';
    this.node.classList.toggle('refused', refused);
    fill(
      this.node,
      h('div', { class: 'bubble' }, frame.text),
      h(
        'div',
        { class: 'under' },
        told,
        refused ? button('Try again', () => this.sendAgain(frame.id), { class: 'link' }) : null,
        refused
          ? button(
              'Edit',
              () => {
                this.forget(frame.id);
                this.again(frame.text);
              },
              { class: 'link' },
            )
          : null,
        refused ? button('Discard', () => this.forget(frame.id), { class: 'link' }) : null,
      ),
    );
  }
}

export class AssistantView {
  #thinking = h('pre', { class: 'thought' });
  #label = h('summary', {}, 'Thinking');
  #reasoning = h('details', { class: 'reasoning' }, this.#label, this.#thinking);
  #prose = new Prose();
  #partial = h('p', { class: 'under' }, 'Cut short here.');
  node = h(
    'article',
    { class: 'entry assistant' },
    this.#reasoning,
    this.#prose.node,
    this.#partial,
  );

  draw({ text, reasoning, open, partial, undone }) {
    this.node.classList.toggle('undone', Boolean(undone));
    this.node.classList.toggle('open', open);
    setShown(this.node, Boolean(text.text || reasoning.text));
    setShown(this.#reasoning, reasoning.text !== '');
    setText(
      this.#label,
      open && !text.text ? 'Thinking…' : `Thought · ${count(words(reasoning.text))} words`,
    );
    setText(this.#thinking, reasoning.text);
    this.#prose.draw(text.text);
    setShown(this.#partial, Boolean(partial));
  }
}

const words = (text) => (text ? text.trim().split(/\s+/).length : 0);

export class NoteView {
  node = h('aside', { class: 'entry note' });

  draw(entry) {
    const [text, tone] = noteWords(entry);
    this.node.className = `entry note ${tone}${entry.undone ? ' undone' : ''}`;
    const summary = entry.about === 'compacted' ? entry.event.summary : null;
    fill(
      this.node,
      h('span', {}, text),
      summary
        ? h('details', {}, h('summary', {}, 'What the agent keeps in mind'), h('pre', {}, summary))
        : null,
    );
  }
}
