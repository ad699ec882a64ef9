// What one page knows of one session: the shape of the state, and how it begins.

import type {
  AutoApproval,
  Bye,
  Decision,
  DurableEvent,
  JsonObject,
  Origin,
  PlanItem,
  QuestionAnswered,
  QuestionAsked,
  Session,
  Status,
  Step,
  ToolCall,
} from '../wire.ts';

export type ToolState =
  'queued' | 'asks' | 'running' | 'ok' | 'error' | 'rejected' | 'cancelled' | 'unknown';

/** The tool of a call whose beginning is further back than what is here. */
export const NAMELESS = '?';

/** A text that grows. `length` counts code points, also the `skipped` ones before `text`. */
export interface Growing {
  readonly text: string;
  readonly skipped: number;
  readonly length: number;
  /** From a connection that was lost; the server has not sent it again yet. */
  readonly stale: boolean;
}

/** The growing texts of an open entry; `text` of a tool is its log. */
export interface OpenText {
  readonly text: Growing;
  readonly reasoning: Growing;
}

interface Placed {
  readonly key: string;
  readonly at: string;
  readonly turn?: string | undefined;
  /** The submission that undid this entry's turn. */
  readonly undone?: string | undefined;
  /** It was undone by a retry, which says the same again. */
  readonly retried?: boolean | undefined;
}

export interface UserEntry extends Placed {
  readonly kind: 'user';
  readonly turn: string;
  readonly submission: string;
  readonly text: string;
  readonly author: string;
  readonly steered: boolean;
  readonly attachments: readonly string[];
}

/** While it is open its texts are in `SessionState.open`, and empty here. */
export interface AssistantEntry extends Placed {
  readonly kind: 'assistant';
  readonly item: string;
  readonly turn: string;
  readonly open: boolean;
  readonly partial: boolean;
  readonly text: string;
  readonly reasoning: string;
}

export interface ToolEntry extends Placed {
  readonly kind: 'tool';
  readonly call: string;
  readonly turn: string;
  readonly tool: string;
  /** As they are carried out: a person's, where a person edited them. */
  readonly arguments: JsonObject;
  /** As the model wrote them, where a person edited them. */
  readonly proposed?: JsonObject | undefined;
  readonly effect: ToolCall['effect'];
  readonly malformed?: string | undefined;
  readonly state: ToolState;
  readonly since?: string | undefined;
  readonly question?: { readonly reason: string; readonly cost: number | null } | undefined;
  readonly ruling?: Ruling | undefined;
  readonly output?: string | undefined;
  readonly truncated?: boolean | undefined;
  readonly size?: number | undefined;
  readonly seconds?: number | undefined;
  /** Paths that the call left to be shown. */
  readonly files?: readonly string[] | undefined;
  /** What its server of tools has asked a person while it ran. */
  readonly questions?: readonly Inquired[] | undefined;
  /** What a research has done so far. */
  readonly steps?: readonly Step[] | undefined;
}

/** Work that a call left behind; its log grows under the same key while it runs. */
export interface JobEntry extends Placed {
  readonly kind: 'job';
  readonly job: string;
  readonly title: string;
  readonly url?: string | undefined;
  readonly hardware?: string | undefined;
  readonly state: 'running' | 'ok' | 'error' | 'cancelled' | 'unknown';
  /** What it may cost at most; then what it has cost. Null is unknown. */
  readonly cost: number | null;
  readonly output?: string | undefined;
  readonly seconds?: number | undefined;
}

export interface Inquired {
  readonly asked: QuestionAsked;
  readonly answer?: QuestionAnswered | undefined;
}

export interface Ruling extends Decision {
  readonly by: string;
}

export interface NoteEntry extends Placed {
  readonly kind: 'note';
  readonly about: 'notice' | 'retrying' | 'compacted' | 'ended' | 'updated' | 'session_ended';
  readonly event: DurableEvent;
}

export type Entry = UserEntry | AssistantEntry | ToolEntry | JobEntry | NoteEntry;

export interface QueuedInput {
  readonly submission: string;
  readonly text: string;
  readonly delivery: 'queue' | 'steer';
  readonly author: string | null;
  readonly attachments: readonly string[];
}

/** Tokens and dollars; null is unknown, never free. */
export interface Used {
  readonly input: number;
  readonly output: number;
  readonly cached: number | null;
  readonly cost: number | null;
}

export interface SessionState {
  /** The generation of the log. */
  readonly log: string | null;
  /** The last event that is in here, and the first. */
  readonly seq: number;
  readonly oldest: number;
  readonly synced: boolean;
  /** The server broke its own rules: nothing is taken in until the next `hello`. */
  readonly fault: 'gap' | 'hole' | null;
  readonly session: Session | null;
  readonly origin: Origin | null;
  readonly status: Status | null;
  readonly turn: { readonly id: string; readonly at: string } | null;
  readonly ended: string | null;
  readonly bye: Bye | null;
  /** Deltas leave it as it is, but for the first one, which opens an entry. Open ones are last. */
  readonly entries: readonly Entry[];
  /** By the key of their entry; only what is open. */
  readonly open: ReadonlyMap<string, OpenText>;
  readonly plan: readonly PlanItem[];
  readonly queued: readonly QueuedInput[];
  readonly used: Used;
  readonly autoApproval: AutoApproval | null;
  /** The newest plan of each turn that has one: undoing a turn brings back the one before. */
  readonly plans: readonly TurnPlan[];
  /** The submission of the newest `turn_undone`; a retry goes on under the same. */
  readonly lastUndo: string | null;
  /** Usage up to this event is in `used` already, by the session's own sum. */
  readonly counted: number;
  /** All that was folded, so that older pages can be put before it. */
  readonly events: readonly DurableEvent[];
  /** From before `oldest`: what still tells how things stand. Null while that is not here. */
  readonly standing: readonly DurableEvent[] | null;
}

export interface TurnPlan {
  readonly turn: string;
  readonly items: readonly PlanItem[];
}

export const nothing: Growing = Object.freeze({ text: '', skipped: 0, length: 0, stale: false });

export const empty: SessionState = Object.freeze({
  log: null,
  seq: 0,
  oldest: 1,
  synced: false,
  fault: null,
  session: null,
  origin: null,
  status: null,
  turn: null,
  ended: null,
  bye: null,
  entries: [],
  open: new Map(),
  plan: [],
  queued: [],
  used: { input: 0, output: 0, cached: 0, cost: 0 },
  autoApproval: null,
  plans: [],
  lastUndo: null,
  counted: 0,
  events: [],
  standing: [],
});
