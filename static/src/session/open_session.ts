// One open session: its state, its link, its outbox, and everything a person can ask of it.

import { type ReadonlySignal, computed, effect, signal } from '@preact/signals';
import { Problem, sessionPath } from '../link/api.ts';
import { type Finding, Link, type LinkView } from '../link/link.ts';
import { Outbox, type OutboxItem } from '../link/outbox.ts';
import type { Entry, Growing, OpenText, SessionState } from '../store/state.ts';
import type {
  Accepted,
  Answer,
  Heartbeat,
  Refused,
  SentDecision,
  ServerFrame,
  Submission,
} from '../wire.ts';
import { Feed } from './feed.ts';
import { Past } from './past.ts';
import type { Ways } from './ways.ts';

const MAX_FRAME_BYTES = 1_000_000;
const MOST_UNANSWERED = 100;
/** Of a long log the end is enough to begin with. */
const OPENING = 200;
/** The same fault at the same place this often means that what we have is wrong. */
const FAULTS_BEFORE_ANEW = 3;
const FINAL: ReadonlyMap<number, string> = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'no_such_session'],
]);

export type { OutboxItem } from '../link/outbox.ts';

type Asked = Submission extends infer S ? (S extends Submission ? Omit<S, 'id'> : never) : never;

export interface Words {
  readonly delivery?: 'queue' | 'steer';
  readonly attachments?: readonly string[];
}

export class OpenSession {
  readonly id: string;
  readonly entries: ReadonlySignal<readonly Entry[]>;
  readonly #ways: Ways;
  readonly #feed: Feed;
  readonly #past: Past;
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #stopping = signal(false);
  readonly #texts = new Map<string, ReadonlySignal<OpenText | undefined>>();
  #stopLoading = (): void => {};
  #stopId: string | null = null;
  #behindAt: number | null = null;
  #faults = { seq: -1, times: 0 };

  constructor(id: string, ways: Ways) {
    const { world, kept, locks, tab, tell } = ways;
    this.id = id;
    this.#ways = ways;
    this.#feed = new Feed(world, (state) => this.#changed(state));
    this.#past = new Past(id, ways, this.#feed);
    this.#link = new Link(
      {
        path: () => sessionPath(id, `/socket?${this.#position()}`),
        settles: (frame) => (frame as ServerFrame).type === 'synced',
        received: (frame) => this.#received(frame as ServerFrame),
        settled: () => this.#outbox.drain(),
        lost: () => this.#lost(),
        probe: () => this.#probe(),
      },
      world,
    );
    const { wall, newId } = world;
    const send = (frame: Submission) => this.#link.send(frame);
    this.#outbox = new Outbox(id, { tab, kept, locks, wall, newId, send, tell });
    this.entries = computed(() => this.state.value.entries);
  }

  /** Set once per painted frame at most. */
  get state(): ReadonlySignal<SessionState> {
    return this.#feed.state;
  }

  /** Events after this one happened since this page looks. */
  get newsAfter(): number | null {
    return this.#feed.newsAfter;
  }

  get link(): ReadonlySignal<LinkView> {
    return this.#link.view;
  }

  get outbox(): ReadonlySignal<readonly OutboxItem[]> {
    return this.#outbox.items;
  }

  /** From the moment a stop is sent until it is answered. */
  get stopping(): ReadonlySignal<boolean> {
    return this.#stopping;
  }

  /** The texts of an open entry; undefined once it is closed. */
  textOf(key: string): ReadonlySignal<OpenText | undefined> {
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = computed(() => this.state.value.open.get(key));
      this.#texts.set(key, text);
    }
    return text;
  }

  /** The live log of a call. */
  logOf(call: string): ReadonlySignal<Growing | undefined> {
    const text = this.textOf(`c:${call}`);
    return computed(() => text.value?.text);
  }

  open(): void {
    // Again, when a storage that was late has come: it may hold what a page before this one asked.
    this.#stopLoading = effect(() => {
      if (this.#ways.kept.durable.value) void this.#outbox.load();
    });
    this.#link.open();
    this.#feed.begin();
  }

  close(): void {
    this.#stopLoading();
    this.#link.close();
    this.#outbox.close();
    this.#past.close();
    this.#feed.flush();
  }

  // ---- what a person asks ----------------------------------------------------------------------

  say(text: string, { delivery = 'queue', attachments = [] }: Words = {}): void {
    this.#ask({ type: 'user_input', text, delivery, attachments });
  }

  decide(decisions: readonly SentDecision[]): void {
    this.#ask({ type: 'approval', decisions });
  }

  /** Not kept for later: a stop that arrives late would stop something else. */
  stop(): void {
    this.#feed.flush();
    const { status, turn } = this.state.peek();
    const current = status?.turn ?? turn?.id ?? null;
    const id = this.#ways.world.newId();
    if (!this.#link.send({ type: 'interrupt', id, ...(current && { turn: current }) })) {
      this.#ways.tell('not_connected');
      return;
    }
    this.#stopId = id;
    this.#stopping.value = true;
  }

  answer = (said: Omit<Answer, 'id' | 'type'>): void => this.#ask({ type: 'answer', ...said });
  undo = (): void => this.#ask({ type: 'undo' });
  retry = (): void => this.#ask({ type: 'retry' });
  compact = (): void => this.#ask({ type: 'compact' });
  resume = (): void => this.#ask({ type: 'resume' });
  setModel = (model: string): void => this.#ask({ type: 'set_model', model });
  withdraw = (submission: string): void => this.#ask({ type: 'withdraw', submission });

  setAutoApproval(enabled: boolean, cap: number | null = null): void {
    this.#ask({ type: 'set_auto_approval', enabled, cost_cap_usd: cap });
  }

  /** Take a queued input back and, once that is certain, hand it to the turn that runs. */
  steerNow(submission: string): void {
    const queued = this.state.peek().queued.find((input) => input.submission === submission);
    if (queued === undefined) return;
    const { text, attachments } = queued;
    const steer = { type: 'user_input', text, delivery: 'steer', attachments } as const;
    this.#ask({ type: 'withdraw', submission }, steer);
  }

  /** Undo the last turn and, once that is certain, say this instead. */
  editAndRerun(text: string, attachments: readonly string[] = []): void {
    this.#ask({ type: 'undo' }, { type: 'user_input', text, delivery: 'queue', attachments });
  }

  sendAgain = (id: string): void => void this.#outbox.sendAgain(id);
  forget = (id: string): void => this.#outbox.forget(id);
  dialNow = (): void => this.#link.dialNow();

  /** One page of what was before; nothing where there is nothing more. */
  loadEarlier = (): Promise<unknown> => this.#past.page();

  /** Everything of the turn is here afterwards, as far as the server can be reached. */
  wholeTurn = (turn: string): Promise<void> =>
    this.#past.until(({ events }) =>
      events.some((event) => event.type === 'turn_started' && event.turn === turn),
    );

  // ---- how it is asked and answered ------------------------------------------------------------

  #ask(asked: Asked, ...then: readonly Asked[]): void {
    const named = [asked, ...then].map((frame) => ({ ...frame, id: this.#ways.world.newId() }));
    const [frame, ...rest] = named as [Submission, ...Submission[]];
    const bytes = Math.max(...named.map((each) => new Blob([JSON.stringify(each)]).size));
    if (bytes > MAX_FRAME_BYTES) {
      this.#ways.tell('too_long');
    } else if (this.#outbox.items.peek().length >= MOST_UNANSWERED) {
      this.#ways.tell('too_many_queued');
    } else void this.#outbox.add(frame, rest);
  }

  /** What we have, so that it goes on from there. */
  #position(): string {
    this.#feed.flush();
    const { seq, log } = this.state.peek();
    const isWrong = this.#faults.times >= FAULTS_BEFORE_ANEW;
    return log === null || isWrong ? `after=0&most=${OPENING}` : `after=${seq}&log=${encodeURIComponent(log)}`;
  }

  #received(frame: ServerFrame): void {
    switch (frame.type) {
      case 'accepted':
        return this.#accepted(frame);
      case 'refused':
        return this.#refused(frame);
      case 'heartbeat':
        return this.#heard(frame);
      default:
        this.#feed.take(frame);
    }
  }

  #changed(state: SessionState): void {
    if (state.fault !== null) {
      const { seq, times } = this.#faults;
      this.#faults = { seq: state.seq, times: seq === state.seq ? times + 1 : 1 };
      this.#link.mistrust();
      return;
    }
    if (state.synced) this.#outbox.shown(state.seq);
    this.#past.consider(state);
    if (state.seq > this.#faults.seq) this.#faults = { seq: -1, times: 0 };
    for (const key of this.#texts.keys()) {
      if (!key.startsWith('c:') && !state.open.has(key)) this.#texts.delete(key);
    }
  }

  #lost(): void {
    this.#stopped();
    this.#outbox.lost();
    if (this.link.peek().reason === 'no_such_session') this.#gone();
  }

  #gone(): void {
    this.#outbox.abandon('no_such_session');
  }

  #stopped(): void {
    this.#stopId = null;
    this.#stopping.value = false;
  }

  #accepted({ id, seq }: Accepted): void {
    if (id === this.#stopId) this.#stopped();
    this.#outbox.accepted(id, seq);
    this.#outbox.shown(this.state.peek().seq);
  }

  #refused({ id, code, message }: Refused): void {
    if (id === null) return this.#ways.tell(code, message);
    const wasStop = id === this.#stopId;
    if (wasStop) this.#stopped();
    if (wasStop && code !== 'nothing_running') this.#ways.tell(code, message);
    this.#outbox.refused(id, code, message);
  }

  /** Twice behind at the same place means that something was lost on the way. */
  #heard({ head }: Heartbeat): void {
    this.#feed.flush();
    const { seq } = this.state.peek();
    const behind = head != null && head > seq ? seq : null;
    if (behind !== null && behind === this.#behindAt) this.#link.mistrust();
    this.#behindAt = behind;
  }

  async #probe(): Promise<Finding | null> {
    try {
      await this.#ways.call('GET', sessionPath(this.id));
      return null;
    } catch (problem) {
      return problem instanceof Problem ? found(problem) : null;
    }
  }
}

function found({ status, code, retryAfter }: Problem): Finding | null {
  const final = FINAL.get(status);
  if (final !== undefined) return { final };
  return status === 429 ? { reason: code, patience: retryAfter ?? 0 } : null;
}
