// What the views of one session share: the open session, and what a person has begun but not sent.

import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { OpenSession, OutboxItem } from '../session/open_session.ts';
import { asking, failed, inquiring, lastEnd, lastTurn, phase, working } from '../store/entries.ts';
import type { ToolEntry, Used } from '../store/state.ts';
import { drives, mayStop, owns } from '../store/rights.ts';
import type { Person, PlanItem, QuestionAsked, SentDecision, Session, Status, TurnEnded } from '../wire.ts';
import { Fillings } from './filling.ts';
import { Rulings } from './ruling.ts';
import { remembered } from './surroundings.ts';
import { Uploads } from './uploads.ts';

/** Which turn is edited, and what stood in the composer before. */
interface Edit {
  readonly turn: string;
  readonly text: string;
  readonly files: ReadonlySet<number>;
}

/** What a person has begun in a session: it outlives its desk, for when they come back. */
export class Begun {
  readonly rulings = new Rulings();
  readonly fillings = new Fillings();
  readonly uploads: Uploads;
  readonly edit = signal<Edit | null>(null);

  constructor(session: string) {
    this.uploads = new Uploads(session);
  }
}

/** What is on its way and begins a turn, or takes one back. */
const movesTurns = ({ frame, state }: OutboxItem): boolean =>
  ['user_input', 'undo', 'retry'].includes(frame.type) && state !== 'refused';

const FINAL: ReadonlySet<string> = new Set(['no_such_session', 'ended', 'forbidden']);

export class Desk {
  readonly open: OpenSession;
  readonly draft: Signal<string>;
  readonly me: ReadonlySignal<string>;
  readonly rulings: Rulings;
  readonly fillings: Fillings;
  readonly uploads: Uploads;
  /** Sending undoes the last turn and runs this instead; once another turn came, it does not. */
  readonly editing: ReadonlySignal<boolean>;
  /** The panel beside the conversation. */
  readonly detailed: Signal<boolean> = signal(remembered('details') !== 'no');
  /** The calls, and the questions, whose buttons are in sight. */
  readonly inSight = signal<ReadonlySet<string>>(new Set());
  /** Parts of the state that change rarely, so that what shows them is not drawn with every word. */
  readonly session: ReadonlySignal<Session | null>;
  readonly status: ReadonlySignal<Status | null>;
  /** Who looks at it now, each once. */
  readonly people: ReadonlySignal<readonly Person[]>;
  /** Whether this person may speak and rule here; else they look on. */
  readonly drives: ReadonlySignal<boolean>;
  readonly owns: ReadonlySignal<boolean>;
  /** Whether there is something that this person may stop. */
  readonly stoppable: ReadonlySignal<boolean>;
  readonly plan: ReadonlySignal<readonly PlanItem[]>;
  readonly used: ReadonlySignal<Used>;
  readonly synced: ReadonlySignal<boolean>;
  /** Whether the server has events from before those that are here. */
  readonly cut: ReadonlySignal<boolean>;
  readonly ended: ReadonlySignal<boolean>;
  /** It will never answer again: nothing can be asked of it. */
  readonly gone: ReadonlySignal<boolean>;
  /** Nothing of it can be had any more, not even to read. */
  readonly lost: ReadonlySignal<boolean>;
  /** Whether this person can ask something of it, now or when the connection is back. */
  readonly usable: ReadonlySignal<boolean>;
  readonly phase: ReadonlySignal<ReturnType<typeof phase>>;
  readonly working: ReadonlySignal<boolean>;
  readonly asked: ReadonlySignal<readonly ToolEntry[]>;
  readonly inquired: ReadonlySignal<readonly QuestionAsked[]>;
  readonly lastTurn: ReadonlySignal<string | null>;
  readonly lastEnd: ReadonlySignal<TurnEnded | null>;
  /** The last turn failed, and nothing was tried since. */
  readonly failed: ReadonlySignal<boolean>;
  /** At rest, and nothing of ours is on its way. */
  readonly settled: ReadonlySignal<boolean>;
  readonly #edit: Signal<Edit | null>;
  /** Set by the composer. */
  focus: () => void = () => {};
  /** Set by the conversation. */
  toEnd: () => void = () => {};
  reveal: (key: string) => void = () => {};

  constructor(open: OpenSession, draft: Signal<string>, me: ReadonlySignal<string>, begun: Begun) {
    this.open = open;
    this.draft = draft;
    this.me = me;
    this.rulings = begun.rulings;
    this.fillings = begun.fillings;
    this.uploads = begun.uploads;
    this.#edit = begun.edit;
    this.session = computed(() => open.state.value.session);
    this.status = computed(() => open.state.value.status);
    this.people = computed(() => open.state.value.status?.people ?? []);
    this.owns = computed(() => owns(this.session.value));
    this.drives = computed(() => drives(this.session.value));
    this.plan = computed(() => open.state.value.plan);
    this.used = computed(() => open.state.value.used);
    this.synced = computed(() => open.state.value.synced);
    this.cut = computed(() => open.state.value.oldest > 1);
    this.ended = computed(() => open.state.value.ended !== null);
    this.gone = computed(() => FINAL.has(open.link.value.reason ?? ''));
    this.lost = computed(() => this.gone.value && open.link.value.reason !== 'ended');
    this.usable = computed(() => this.drives.value && !this.ended.value && !this.gone.value);
    this.phase = computed(() => (this.gone.value ? 'ended' : phase(open.state.value)));
    this.working = computed(() => !this.gone.value && working(open.state.value));
    this.stoppable = computed(() => this.working.value && mayStop(this.session.value));
    this.asked = computed(() => (this.gone.value ? [] : asking(open.entries.value)));
    this.inquired = computed(() => (this.gone.value ? [] : inquiring(open.entries.value)));
    this.lastTurn = computed(() => lastTurn(open.entries.value));
    this.lastEnd = computed(() => lastEnd(open.state.value));
    this.failed = computed(() => this.phase.value === 'idle' && failed(open.entries.value));
    this.settled = computed(
      () => this.phase.value === 'idle' && this.synced.value && !open.outbox.value.some(movesTurns),
    );
    this.editing = computed(() => {
      const edit = this.#edit.value;
      return edit !== null && !this.working.value && edit.turn === this.lastTurn.value;
    });
  }

  /** The last question comes back to be written differently. */
  async edit(): Promise<void> {
    const turn = this.lastTurn.peek();
    if (turn !== null) await this.open.wholeTurn(turn);
    const asked = this.open.entries.peek().find((entry) => entry.kind === 'user' && entry.turn === turn);
    if (turn === null || asked?.kind !== 'user') return;
    if (this.editing.peek()) return this.focus();
    const files = new Set(this.uploads.items.peek().map(({ id }) => id));
    this.#edit.value = { turn, text: this.draft.peek(), files };
    this.put(asked.text, asked.attachments);
  }

  /** It was sent, or (`back`) what stood there before comes back. */
  endEdit(back: boolean): void {
    const edit = this.#edit.peek();
    this.#edit.value = null;
    if (edit === null || !back) return;
    this.draft.value = edit.text;
    for (const { id } of this.uploads.items.peek()) if (!edit.files.has(id)) this.uploads.drop(id);
  }

  /** Text to write on with goes in front of what is being written, never over it. */
  put(text: string, attachments: readonly string[] = []): void {
    const written = this.draft.peek();
    this.uploads.put(attachments);
    this.draft.value = written.trim() ? `${text}\n\n${written}` : text;
    this.focus();
  }

  /** Whoever looks is taken for the one who wrote until it is known who they are: most write for themselves. */
  isMe(person: string): boolean {
    return this.me.value === '' || this.me.value === person;
  }

  decide(decisions: readonly SentDecision[]): void {
    if (decisions.length > 0) this.open.decide(decisions);
  }

  /** Whether this page has ruled on the call, and waits to hear what came of it. */
  hasRuled(call: string): boolean {
    return this.open.outbox.value.some(
      ({ frame }) => frame.type === 'approval' && frame.decisions.some((one) => one.call === call),
    );
  }

  /** All open questions as their forms stand; shows the first that cannot be used. */
  approveAll(): void {
    // The server takes all rulings of one frame or none: those on their way must not be among them.
    const asked = this.asked.value.filter(({ call }) => !this.hasRuled(call));
    const decisions = asked.map((entry) => this.rulings.of(entry.call, entry.arguments).approval());
    const unusable = decisions.indexOf(null);
    if (unusable >= 0) this.reveal(asked[unusable]?.key ?? '');
    else this.decide(decisions.filter((decision) => decision !== null));
  }
}
