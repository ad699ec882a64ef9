// One WebSocket that comes back by itself: watchdogs, full-jitter back-off, wake-up calls.

const HANDSHAKE_MS = 10_000;
const SILENCE_MS = 50_000; // two and a half heartbeats
const HIDDEN_MS = 30_000;
const SHORTEST_S = 0.5;
const LONGEST_S = 30;
const FINAL = new Map([
  [1000, 'ended'],
  [4401, 'unauthenticated'],
  [4404, 'no_such_session'],
]);

/**
 * `address()` is asked anew at each dial; `settled(frame)` says which frame makes the link good;
 * `probe()` resolves to a reason never to dial again, or null, after a handshake that failed.
 */
export class Link {
  phase = 'closed'; // closed connecting open settled waiting
  reason = null;
  lostAt = null;
  dialAt = null;
  #attempt = 0;
  #socket = null;
  #timer = null;
  #hiddenAt = null;
  #patience = null;
  #wake = (event) => this.#woken(event);

  constructor({
    address,
    settled,
    received,
    changed,
    probe = async () => null,
    random = Math.random,
  }) {
    Object.assign(this, { address, settled, received, changed, probe, random });
  }

  start() {
    for (const name of ['online', 'pageshow']) addEventListener(name, this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
    this.lostAt = Date.now();
    this.#dial();
  }

  stop(reason = null) {
    for (const name of ['online', 'pageshow']) removeEventListener(name, this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
    this.#drop();
    this.#become('closed', reason);
  }

  /** True when handed to a link that is settled; nothing is kept here. */
  send(frame) {
    if (this.phase !== 'settled') return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  dialNow() {
    if (this.phase === 'waiting') this.#dial();
  }

  /** What came in cannot be right: ask again, but never in a tight loop. */
  mistrust() {
    this.#attempt = Math.max(this.#attempt, 1);
    this.#lost();
  }

  #dial() {
    this.#drop();
    const socket = new WebSocket(this.address(), 'mooring.v1');
    this.#socket = socket;
    const mine = (react) => (event) => this.#socket === socket && react(event);
    socket.onmessage = mine((event) => this.#frame(JSON.parse(event.data)));
    socket.onclose = mine((event) => this.#closed(event));
    this.#become('connecting');
    this.#watch(HANDSHAKE_MS);
  }

  #frame(frame) {
    this.#watch(SILENCE_MS);
    if (this.phase === 'connecting') this.#become('open');
    if (frame.type === 'bye' && frame.retry_after) this.#patience = frame.retry_after;
    if (this.settled(frame)) {
      this.#attempt = 0;
      this.lostAt = null;
      const socket = this.#socket;
      this.received(frame);
      if (this.#socket === socket) this.#become('settled');
    } else this.received(frame);
  }

  async #closed({ code }) {
    if (FINAL.has(code)) return this.stop(FINAL.get(code));
    const refused = this.phase === 'connecting';
    this.#lost();
    const final = refused ? await this.probe() : null;
    if (final && this.phase !== 'settled') this.stop(final);
  }

  #lost() {
    const settled = this.phase === 'settled' && this.#attempt === 0;
    this.#drop();
    this.lostAt ??= Date.now();
    const longest = settled ? SHORTEST_S : Math.min(LONGEST_S, SHORTEST_S * 2 ** this.#attempt);
    const seconds = (this.#patience ?? 0) + this.random() * longest;
    this.#attempt += 1;
    this.#patience = null;
    this.dialAt = Date.now() + seconds * 1000;
    this.#timer = setTimeout(() => this.#dial(), seconds * 1000);
    this.#become('waiting');
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.close();
  }

  #watch(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), milliseconds);
  }

  #become(phase, reason = null) {
    this.phase = phase;
    this.reason = reason;
    this.changed();
  }

  #woken() {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
      return;
    }
    const long = this.#hiddenAt !== null && Date.now() - this.#hiddenAt > HIDDEN_MS;
    this.#hiddenAt = null;
    if (long || this.phase === 'waiting') this.#dial();
  }
}
