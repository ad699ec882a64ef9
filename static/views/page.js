// One session on screen: conversation, questions, queue, composer, and how they hang together.

import { OpenSession } from '../session.js';
import { asked, phase, plan, working } from '../state.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { AskBar, ConnectionView, PlanView, QueueView } from './dock.js';
import { h } from './dom.js';
import { showFiles, upload } from './files.js';
import { Choices, Header, StatusLine } from './header.js';
import { examples } from './welcome.js';

export class SessionPage {
  #frame = null;
  #told = null;

  /** `app`: tell, announce, models(), rename(session), remove(session), changed(). */
  constructor(id, app) {
    Object.assign(this, { id, app });
    this.session = new OpenSession(id, { changed: () => this.#redraw(), tell: app.tell });
    const { session } = this;
    const acts = { ...this.#acts(), ...this.#talk() };
    this.header = new Header(id, acts);
    this.conversation = new Conversation(
      acts,
      examples((text) => acts.say(text)),
      () => this.#drawAsking(),
    );
    this.plan = new PlanView();
    this.connection = new ConnectionView(session.link);
    this.asking = new AskBar(acts);
    this.queue = new QueueView(acts);
    this.composer = new Composer(acts, `draft:${id}`);
    this.choices = new Choices({
      setModel: session.setModel,
      setAutoApproval: session.setAutoApproval,
    });
    this.composer.slot.append(this.choices.node);
    this.status = new StatusLine();
    this.node = h(
      'main',
      { class: 'page' },
      this.header.node,
      this.conversation.node,
      h(
        'div',
        { class: 'dock' },
        this.connection.node,
        this.plan.node,
        this.asking.node,
        this.queue.node,
        this.composer.node,
        this.status.node,
      ),
    );
    this.node.addEventListener('dragover', (event) => event.preventDefault());
    this.node.addEventListener('drop', (event) => this.#dropped(event));
    this.ticking = setInterval(() => this.connection.draw(this.#waiting()), 500);
  }

  open() {
    this.session.start();
    this.composer.focus();
  }

  close() {
    clearInterval(this.ticking);
    cancelAnimationFrame(this.#frame);
    this.conversation.resized.disconnect();
    this.session.close();
  }

  /** Esc: true when there was something to stop. */
  escape() {
    if (!working(this.session.state)) return false;
    this.session.stop();
    return true;
  }

  #acts() {
    const { session, app } = this;
    return {
      session: this.id,
      undo: session.undo,
      retry: session.retry,
      compact: session.compact,
      resume: session.resume,
      rename: () => app.rename(session.state.session),
      remove: () => app.remove(session.state.session),
      files: () => showFiles(this.id, app.tell),
      stop: () => session.stop(),
      tell: app.tell,
      sendAgain: (id) => session.sendAgain(id),
      forget: (id) => session.forget(id),
      loadEarlier: () =>
        session.loadEarlier().catch(({ code, message }) => app.tell(code, message)),
    };
  }

  #talk() {
    const { session } = this;
    return {
      say: (text, options) => {
        this.conversation.toEnd();
        session.say(text, options);
      },
      again: (text) => this.composer.put(text),
      decide: (decisions) => session.decide(decisions),
      sending: (callId) =>
        session.outbox.items.some(
          ({ frame, state }) =>
            frame.type === 'approval' &&
            state !== 'accepted' &&
            frame.decisions.some((d) => d.call === callId),
        ),
      approveAll: () => this.#approveAll(),
      showAsked: () => this.conversation.reveal(asked(session.state)[0]?.key),
      steerNow: (row) => session.steerNow(row),
      withdraw: (row) => {
        session.withdraw(row.submission);
        if (!this.composer.field.value.trim()) this.composer.put(row.text);
      },
      upload: (files) => this.#upload(files),
    };
  }

  async #upload(files) {
    try {
      return await upload(this.id, files);
    } catch ({ code, message }) {
      this.app.tell(code, message);
      return [];
    }
  }

  #approveAll() {
    const decisions = this.conversation.approvals(asked(this.session.state));
    if (decisions === null)
      return this.app.tell('bad_json', 'One of the edited arguments is not JSON yet.');
    if (decisions.length) this.session.decide(decisions);
  }

  #dropped(event) {
    event.preventDefault();
    this.composer.take([...event.dataTransfer.files]);
  }

  #waiting() {
    return this.session.outbox.unanswered().filter(({ frame }) => frame.type === 'user_input')
      .length;
  }

  /** Frames only change the state; the page is drawn once per animation frame. */
  #redraw() {
    if (document.hidden) this.app.changed(); // no animation frames there, but the tab has a title
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.draw();
    });
  }

  draw() {
    const { state, outbox, stopping } = this.session;
    const now = phase(state);
    this.header.draw(state.session, now);
    this.conversation.draw(state, outbox.items, now);
    this.plan.draw(plan(state));
    this.connection.draw(this.#waiting());
    this.#drawAsking();
    this.queue.draw(state.status);
    this.composer.draw({
      busy: working(state),
      asking: now === 'awaiting_approval',
      stopping,
      ended: state.ended !== null,
    });
    this.choices.draw(this.app.models(), this.#chosen());
    this.status.draw(state, now, stopping);
    this.#announce(now);
    this.app.changed();
  }

  /** A single question in full view needs no second voice. */
  #drawAsking() {
    const open = asked(this.session.state);
    this.asking.draw(open.length === 1 && this.conversation.atEnd ? [] : open);
  }

  /** What a person just chose is shown while it travels. */
  #chosen() {
    const { state, outbox } = this.session;
    const asked = (type) => outbox.items.findLast(({ frame }) => frame.type === type)?.frame;
    return {
      model: asked('set_model')?.model ?? state.session?.model,
      auto: asked('set_auto_approval')?.enabled ?? state.session?.auto_approval?.enabled ?? false,
    };
  }

  /** Boundaries only: a screen reader is never fed a streaming text. */
  #announce(now) {
    if (now !== this.#told && this.#told !== null) {
      if (now === 'awaiting_approval') this.app.announce('Your approval is needed.');
      if (now === 'idle') this.app.announce('The answer is complete.');
    }
    this.#told = this.session.state.synced ? now : this.#told;
  }
}
