// One open session: its state, its link, its outbox, and everything a person can ask of it.

import { call, newId, sessionPath, socketAddress } from './api.js';
import { Link } from './link.js';
import { Outbox } from './outbox.js';
import { apply, earlier, empty, phase } from './state.js';

const MAX_FRAME_BYTES = 1_000_000;
const FINAL_STATUS = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'no_such_session'],
]);

export class OpenSession {
  state = empty;
  stopping = null;
  #stopId = null;
  #behindAt = null;

  /** `changed()` asks for a redraw; `tell(code, message)` shows a person what went wrong. */
  constructor(id, { changed, tell }) {
    Object.assign(this, { id, changed, tell });
    this.outbox = new Outbox(id);
    this.link = new Link({
      address: () => socketAddress(sessionPath(id, `/socket?${this.#position()}`)),
      settled: (frame) => frame.type === 'synced',
      received: (frame) => this.#received(frame),
      changed: () => this.#linkChanged(),
      probe: () => this.#probe(),
    });
  }

  start() {
    this.link.start();
  }

  close() {
    this.link.stop();
  }

  say(text, { delivery = 'queue', attachments = [] } = {}) {
    this.#ask({ type: 'user_input', text, delivery, attachments });
  }

  decide(decisions) {
    this.#ask({ type: 'approval', decisions });
  }

  /** Not kept for later: a stop that arrives late would stop something else. */
  stop() {
    const turn = this.state.status?.turn ?? this.state.turn?.id;
    const frame = { type: 'interrupt', id: newId(), ...(turn ? { turn } : {}) };
    if (!this.link.send(frame)) return this.tell('not_connected', 'Nothing was stopped.');
    this.#stopId = frame.id;
    this.stopping = turn ?? true;
    this.changed();
  }

  undo = () => this.#ask({ type: 'undo' });
  retry = () => this.#ask({ type: 'retry' });
  compact = () => this.#ask({ type: 'compact' });
  resume = () => this.#ask({ type: 'resume' });
  setModel = (model) => this.#ask({ type: 'set_model', model });
  setAutoApproval = (enabled) => this.#ask({ type: 'set_auto_approval', enabled });
  withdraw = (submission) => this.#ask({ type: 'withdraw', submission });

  /** Take a queued input back and, once that is certain, hand it to the turn that runs. */
  steerNow({ submission, text }) {
    const attachments = this.state.queued[submission] ?? [];
    const steer = { type: 'user_input', id: newId(), text, delivery: 'steer', attachments };
    this.#ask({ type: 'withdraw', submission }, steer);
  }

  sendAgain(id) {
    const item = this.outbox.find(id);
    this.outbox.remove(id);
    this.#ask({ ...item.frame, id: newId() }, item.then);
  }

  forget(id) {
    this.outbox.remove(id);
    this.changed();
  }

  async loadEarlier() {
    const { events } = await call(
      'GET',
      sessionPath(this.id, `/events?before=${this.state.oldest}&limit=500`),
    );
    if (!events.length || events.at(-1).seq === this.state.oldest - 1)
      this.state = earlier(this.state, events);
    this.changed();
  }

  #ask(frame, then = null) {
    const whole = { ...frame, id: frame.id ?? newId() };
    if (new TextEncoder().encode(JSON.stringify(whole)).length > MAX_FRAME_BYTES) {
      return this.tell('too_long', 'This is larger than one message may be.');
    }
    if (!this.outbox.find(whole.id)) this.outbox.add(whole, then);
    if (this.link.send(whole)) this.outbox.mark(whole.id, { state: 'sent' });
    this.changed();
  }

  #position() {
    const { seq, log } = this.state;
    return log === null ? 'after=0' : `after=${seq}&log=${encodeURIComponent(log)}`;
  }

  #received(frame) {
    if (frame.type === 'accepted') return this.#accepted(frame);
    if (frame.type === 'refused') return this.#refused(frame);
    if (frame.type === 'heartbeat') return this.#heard(frame);
    const next = apply(this.state, frame);
    if (next.fault) return this.link.mistrust();
    this.state = next;
    if (phase(next) === 'idle' || (next.turn === null && frame.type === 'turn_ended'))
      this.stopping = null;
    this.outbox.shown(next.seq);
    this.changed();
  }

  #linkChanged() {
    if (this.link.phase === 'settled') this.#resend();
    else this.stopping = null;
    this.changed();
  }

  #resend() {
    if (this.outbox.takeStale().length) {
      this.tell('stale_approval', 'Your decision is more than ten minutes old and was not sent.');
    }
    for (const { frame } of this.outbox.unanswered()) {
      if (this.link.send(frame)) this.outbox.mark(frame.id, { state: 'sent' });
    }
  }

  #accepted({ id, seq }) {
    const item = this.outbox.find(id);
    if (!item) return;
    if (item.then) this.#ask(item.then);
    this.outbox.mark(id, { state: 'accepted', seq, then: null });
    this.outbox.shown(this.state.seq);
    this.changed();
  }

  #refused({ id, code, message }) {
    if (id === this.#stopId) this.stopping = null;
    const item = this.outbox.find(id);
    if (item?.frame.type === 'user_input')
      this.outbox.mark(id, { state: 'refused', code, message });
    else {
      if (item) this.outbox.remove(id);
      if (code !== 'nothing_running') this.tell(code, message);
    }
    this.changed();
  }

  /** Twice behind at the same place means that something was lost on the way. */
  #heard({ head }) {
    const behind = head > this.state.seq ? this.state.seq : null;
    if (behind !== null && behind === this.#behindAt) this.link.mistrust();
    this.#behindAt = behind;
  }

  async #probe() {
    try {
      await call('GET', sessionPath(this.id));
      return null;
    } catch (problem) {
      return FINAL_STATUS.get(problem.status) ?? null;
    }
  }
}
