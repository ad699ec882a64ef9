// What each event of the log does to a session's state.

import type {
  ApprovalRequired,
  ApprovalResolved,
  AssistantMessage,
  DurableEvent,
  JobEnded,
  QuestionAnswered,
  QuestionAsked,
  SessionUpdated,
  Step,
  ToolOutput,
  ToolStarted,
  TurnEnded,
  TurnUndone,
  Usage,
  UserMessage,
} from '../wire.ts';
import type { Draft } from './draft.ts';
import type { Inquired, NoteEntry, SessionState, ToolEntry, ToolState } from './state.ts';

type Of<T extends DurableEvent['type']> = Extract<DurableEvent, { type: T }>;
type Folds = { readonly [T in DurableEvent['type']]: (draft: Draft, event: Of<T>) => void };

const ENDS: ReadonlySet<string> = new Set(['ok', 'error', 'rejected', 'cancelled', 'unknown']);

/** Events that we do not know change nothing. */
export function fold(draft: Draft, event: DurableEvent): void {
  if (Object.hasOwn(FOLDS, event.type)) {
    (FOLDS[event.type] as (draft: Draft, event: DurableEvent) => void)(draft, event);
  }
}

const FOLDS: Folds = {
  session_created({ now }, { model, title, forked_from: origin }) {
    now.origin = origin ?? null;
    if (now.session !== null) now.session = { ...now.session, model, title };
  },
  session_updated: updated,
  input_queued({ now }, { submission, text, delivery, author, attachments = [] }) {
    now.queued = [
      ...without(now.queued, submission),
      { submission, text, delivery, author, attachments },
    ];
  },
  input_withdrawn({ now }, { submission }) {
    now.queued = without(now.queued, submission);
  },
  user_message: said,
  turn_started(draft, { turn, submission, at }) {
    again(draft, submission);
    draft.now.turn = { id: turn, at };
  },
  assistant_message: answered,
  tool_call(draft, { call, turn, at, tool, arguments: given, effect, malformed }) {
    draft.tool(
      call,
      { turn, at },
      {
        ...{ turn, at, tool, arguments: given, effect, state: 'queued' },
        malformed: malformed ?? undefined,
      },
    );
  },
  approval_required: asked,
  approval_resolved: ruled,
  tool_started: started,
  question_asked: inquired,
  question_answered: replied,
  tool_output: printed,
  step: stepped,
  job_started(draft, { turn, at, job, title, url, hardware, estimated_cost_usd: cost }) {
    draft.put({
      ...{ kind: 'job', key: `c:${job}`, job, turn, at, title, state: 'running', cost: cost ?? null },
      ...{ url: url ?? undefined, hardware: hardware ?? undefined },
    });
  },
  job_ended: jobEnded,
  plan_updated({ now }, { turn, items }) {
    now.plans = [...now.plans.filter((plan) => plan.turn !== turn), { turn, items }];
    now.plan = items;
  },
  usage: spent,
  retrying(draft, event) {
    draft.put({ ...note('retrying', event), key: `r:${event.turn ?? event.seq}` });
  },
  notice: (draft, event) => draft.put(note('notice', event)),
  compacted: (draft, event) => draft.put(note('compacted', event)),
  turn_undone: undone,
  turn_ended: ended,
  session_ended(draft, event) {
    draft.now.ended = event.reason;
    draft.put(note('session_ended', event));
  },
};

const without = (queued: SessionState['queued'], submission: string) =>
  queued.filter((input) => input.submission !== submission);

function note(about: NoteEntry['about'], event: DurableEvent): NoteEntry {
  const turn = 'turn' in event ? (event.turn ?? undefined) : undefined;
  return { kind: 'note', key: `e:${event.seq}`, turn, at: event.at, about, event };
}

function updated(draft: Draft, event: SessionUpdated): void {
  const { now } = draft;
  if (now.session !== null) {
    const { title, model } = now.session;
    now.session = { ...now.session, title: event.title ?? title, model: event.model ?? model };
  }
  now.autoApproval = event.auto_approval ?? now.autoApproval;
  if (event.model != null || event.auto_approval != null) draft.put(note('updated', event));
}

function said(draft: Draft, event: UserMessage): void {
  const { turn, at, submission, text, author, steered = false, attachments = [] } = event;
  again(draft, submission);
  draft.now.queued = without(draft.now.queued, submission);
  draft.put({
    ...{ kind: 'user', key: `u:${submission}`, turn, at },
    ...{ submission, text, author, steered, attachments },
  });
}

/** A retry undoes a turn and begins it again under one id. */
function again(draft: Draft, submission: string): void {
  if (draft.now.lastUndo !== submission) return;
  draft.change(
    (entry) => entry.undone === submission && entry.retried === undefined,
    (entry) => ({ ...entry, retried: true }),
  );
}

function answered(draft: Draft, event: AssistantMessage): void {
  const { turn, item, at, text, reasoning = '', partial = false } = event;
  const key = `m:${item}`;
  draft.drop(key);
  draft.shut(key);
  if (text === '' && reasoning === '') return;
  draft.put({ kind: 'assistant', key, item, turn, at, open: false, partial, text, reasoning });
}

function asked(draft: Draft, { turn, at, calls }: ApprovalRequired): void {
  for (const { call, tool, arguments: given, reason, estimated_cost_usd: cost = null } of calls) {
    draft.tool(
      call,
      { turn, at },
      {
        ...{ tool, arguments: given, state: 'asks', question: { reason, cost } },
      },
    );
  }
}

function ruled(draft: Draft, { turn, at, decisions, by }: ApprovalResolved): void {
  for (const decision of decisions) {
    draft.tool(
      decision.call,
      { turn, at },
      {
        state: decision.decision === 'approve' ? 'queued' : 'rejected',
        ruling: { ...decision, by },
        ...edited(draft, decision.call, decision.arguments),
      },
    );
  }
}

function started(draft: Draft, { turn, at, call, arguments: given }: ToolStarted): void {
  const change = { state: 'running', since: at } as const;
  draft.tool(call, { turn, at }, { ...change, ...edited(draft, call, given) });
}

/** A person's arguments take the place of the model's, which stay to be compared with. */
function edited(
  draft: Draft,
  call: string,
  given: ToolEntry['arguments'] | null | undefined,
): Partial<ToolEntry> {
  if (given == null) return {};
  const old = draft.find(`c:${call}`);
  const proposed = old?.kind === 'tool' ? (old.proposed ?? old.arguments) : undefined;
  return { arguments: given, proposed };
}

function printed(draft: Draft, event: ToolOutput): void {
  const { turn, at, call, status, output, truncated, size, seconds, files } = event;
  const state: ToolState = ENDS.has(status) ? status : 'unknown';
  draft.tool(call, { turn, at }, { state, output, truncated, size, seconds, files });
  draft.shut(`c:${call}`);
}

function inquired(draft: Draft, asked: QuestionAsked): void {
  const { turn, at, call, question } = asked;
  const others = questionsOf(draft, call).filter((one) => one.asked.question !== question);
  draft.tool(call, { turn, at }, { questions: [...others, { asked }] });
}

function replied(draft: Draft, answer: QuestionAnswered): void {
  const { turn, at, call, question } = answer;
  const questions = questionsOf(draft, call).map((one) =>
    one.asked.question === question ? { ...one, answer } : one,
  );
  draft.tool(call, { turn, at }, { questions });
}

function questionsOf(draft: Draft, call: string): readonly Inquired[] {
  const entry = draft.find(`c:${call}`);
  return entry?.kind === 'tool' ? (entry.questions ?? []) : [];
}

function stepped(draft: Draft, event: Step): void {
  const { turn, at, call } = event;
  const old = draft.find(`c:${call}`);
  const before = old?.kind === 'tool' ? (old.steps ?? []) : [];
  draft.tool(call, { turn, at }, { steps: [...before, event] });
}

function jobEnded(draft: Draft, event: JobEnded): void {
  const { job, at, status: state, output, seconds, cost_usd: cost } = event;
  const key = `c:${job}`;
  const old = draft.find(key);
  const blank = { kind: 'job', key, job, at, title: job } as const;
  const known = old?.kind === 'job' ? old : blank;
  const place = event.url == null ? {} : { url: event.url };
  draft.put({ ...known, ...place, state, output, seconds, cost: cost ?? null });
  draft.shut(key);
}

function spent({ now }: Draft, event: Usage): void {
  const { input, output, cached, cost } = now.used;
  const sum = { ...now.used, cached: cached === null ? null : cached + event.cached_tokens };
  now.used =
    event.seq <= now.counted
      ? sum
      : {
          ...sum,
          input: input + event.input_tokens,
          output: output + event.output_tokens,
          cost: cost === null || event.cost_usd === null ? null : cost + event.cost_usd,
        };
}

function undone(draft: Draft, { turn, submission }: TurnUndone): void {
  draft.change(
    (entry) => entry.turn === turn,
    (entry) => ({ ...entry, undone: submission }),
  );
  draft.now.lastUndo = submission;
  draft.now.plans = draft.now.plans.filter((plan) => plan.turn !== turn);
  draft.now.plan = draft.now.plans.at(-1)?.items ?? [];
}

function ended(draft: Draft, event: TurnEnded): void {
  draft.abandon((entry) => entry.turn === event.turn);
  draft.now.turn = null;
  if (event.status !== 'completed') draft.put(note('ended', event));
}
