// Where a person writes: text, files, send, queue, steer, stop.

import { button, fill, h, setShown, setText } from './dom.js';

const MAX_TEXT = 100_000;

export class Composer {
  steerable = false;
  #files = [];
  #picker = h('input', {
    type: 'file',
    multiple: true,
    hidden: true,
    onchange: () => this.#picked(),
  });
  #attached = h('div', { class: 'row wrap attached', hidden: true });
  #attach = button('Attach', () => this.#picker.click(), {
    class: 'quiet',
    title: 'Put files into the workspace',
  });
  #send = h('button', { class: 'primary' }, 'Send');
  #steer = button('Steer now', () => this.#submit('steer'), {
    class: 'quiet',
    title: 'The agent reads this at its next step instead of after this turn',
  });
  #stop = button('Stop', () => this.acts.stop(), { class: 'stop', title: 'Esc' });
  field = h('textarea', {
    rows: 1,
    placeholder: 'Ask for something…',
    'aria-label': 'Message',
    enterkeyhint: 'send',
  });
  node = h(
    'form',
    { class: 'composer', onsubmit: (event) => this.#submitted(event) },
    this.#attached,
    this.field,
    h(
      'div',
      { class: 'row between wrap' },
      h('div', { class: 'row' }, this.#attach, this.#picker, h('span', { class: 'slot' })),
      h('div', { class: 'row send' }, this.#stop, this.#steer, this.#send),
    ),
  );

  /** `acts`: say, stop, tell, upload?(files) -> paths; `draft`: where unsent text is kept. */
  constructor(acts, draft) {
    Object.assign(this, { acts, draft });
    this.field.value = sessionStorage.getItem(draft) ?? '';
    this.field.addEventListener('input', () => this.#changed());
    this.field.addEventListener('keydown', (event) => this.#key(event));
    this.field.addEventListener('paste', (event) => this.#pasted(event));
    this.draw({ busy: false, stopping: false, ended: false, canAttach: Boolean(acts.upload) });
  }

  /** Beside the attach button: what the session offers (model, approvals). */
  get slot() {
    return this.node.querySelector('.slot');
  }

  draw({ busy, asking = false, stopping, ended, canAttach = true }) {
    setText(this.#send, asking ? 'Send instead' : busy ? 'Queue' : 'Send');
    this.#send.title = asking ? 'Drops the open question and begins a new turn' : '';
    setText(this.#stop, stopping ? 'Stopping…' : 'Stop');
    this.#stop.disabled = Boolean(stopping);
    setShown(this.#stop, busy);
    this.steerable = busy && !asking;
    setShown(this.#steer, this.steerable && this.field.value.trim() !== '');
    setShown(this.#attach, canAttach);
    this.field.disabled = ended;
    this.#send.disabled = ended;
  }

  focus() {
    if (matchMedia('(pointer: fine)').matches) this.field.focus();
  }

  /** Text to edit goes in front of what is being written, never over it. */
  put(text) {
    this.field.value = this.field.value.trim() ? `${text}\n\n${this.field.value}` : text;
    this.#changed();
    this.field.focus();
  }

  async take(files) {
    if (!files.length || !this.acts.upload) return;
    this.#files.push(...(await this.acts.upload(files)));
    this.#drawFiles();
  }

  #submitted(event) {
    event.preventDefault();
    this.#submit('queue');
  }

  #submit(delivery) {
    const text = this.field.value.trim();
    if (!text) return;
    if (text.length > MAX_TEXT)
      return this.acts.tell('too_long', `A message has at most ${MAX_TEXT} characters.`);
    this.acts.say(text, { delivery, attachments: this.#files });
    this.#files = [];
    this.field.value = '';
    this.#drawFiles();
    this.#changed();
  }

  #key(event) {
    const enter = event.key === 'Enter' && !event.shiftKey && !event.isComposing;
    if (enter && matchMedia('(pointer: fine)').matches) this.#submitted(event);
  }

  #changed() {
    setShown(this.#steer, this.steerable && this.field.value.trim() !== '');
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, innerHeight * 0.35)}px`;
    sessionStorage.setItem(this.draft, this.field.value.slice(0, MAX_TEXT));
  }

  #picked() {
    this.take([...this.#picker.files]);
    this.#picker.value = '';
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.take(files);
  }

  #drawFiles() {
    setShown(this.#attached, this.#files.length > 0);
    fill(
      this.#attached,
      this.#files.map((path) =>
        h(
          'span',
          { class: 'chip' },
          path,
          button(
            '×',
            () => {
              this.#files = this.#files.filter((other) => other !== path);
              this.#drawFiles();
            },
            { class: 'link', 'aria-label': `Do not attach ${path}` },
          ),
        ),
      ),
    );
  }
}
