// What travels on the sockets, made by `python -m server.contract.typescript`; not by hand.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export interface UserInput {
  readonly type: 'user_input';
  readonly id: string;
  readonly text: string;
  readonly delivery?: 'queue' | 'steer';
  readonly attachments?: readonly string[];
}

/** Rule on calls the agent asked about; a call not named stays open. */
export interface Approval {
  readonly type: 'approval';
  readonly id: string;
  readonly decisions: readonly SentDecision[];
}

/** Say something to a question of a server of tools; `content` goes with `accept`. */
export interface Answer {
  readonly type: 'answer';
  readonly id: string;
  readonly question: string;
  readonly action: 'accept' | 'cancel' | 'decline';
  readonly content?: JsonObject | null;
}

export interface Interrupt {
  readonly type: 'interrupt';
  readonly id: string;
  readonly turn?: string | null;
  readonly queue?: 'continue' | 'drop' | 'hold';
}

export interface Resume {
  readonly type: 'resume';
  readonly id: string;
}

export interface Withdraw {
  readonly type: 'withdraw';
  readonly id: string;
  readonly submission: string;
}

export interface Undo {
  readonly type: 'undo';
  readonly id: string;
}

export interface Retry {
  readonly type: 'retry';
  readonly id: string;
}

export interface Compact {
  readonly type: 'compact';
  readonly id: string;
}

export interface SetModel {
  readonly type: 'set_model';
  readonly id: string;
  readonly model: string;
}

export interface SetAutoApproval {
  readonly type: 'set_auto_approval';
  readonly id: string;
  readonly enabled: boolean;
  readonly cost_cap_usd?: number | null;
}

export interface Shutdown {
  readonly type: 'shutdown';
  readonly id: string;
}

export interface Ping {
  readonly type: 'ping';
  readonly id: string;
}

/** One ruling; `arguments` replaces the call's arguments whole. */
export interface SentDecision {
  readonly call: string;
  readonly decision: 'approve' | 'reject';
  readonly feedback?: string | null;
  readonly arguments?: JsonObject | null;
  readonly remember?: 'session' | null;
}

/** Where a fork comes from: an exact prefix of `session`, up to the end of `turn`. */
export interface Origin {
  readonly session: string;
  readonly turn: string;
}

/** One call that waits for a human, and why. */
export interface Question {
  readonly call: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly reason: string;
  readonly estimated_cost_usd?: number | null;
}

/** One ruling; `arguments` replaces the call's arguments whole. */
export interface Decision {
  readonly call: string;
  readonly decision: 'approve' | 'reject';
  readonly feedback?: string | null;
  readonly arguments?: JsonObject | null;
  readonly remember?: 'session' | null;
}

/** One thing to fill in. `least` and `most` bound a number, the length of a string, or how many of the `choices` are taken. */
export interface Field {
  readonly name: string;
  readonly kind: 'boolean' | 'choice' | 'choices' | 'integer' | 'number' | 'string';
  readonly required?: boolean;
  readonly title?: string | null;
  readonly description?: string | null;
  readonly format?: 'date' | 'date-time' | 'email' | 'uri' | null;
  readonly least?: number | null;
  readonly most?: number | null;
  readonly choices?: readonly Choice[];
  readonly default?: string | number | number | boolean | readonly string[] | null;
}

/** One value that may be chosen, and what it is called. */
export interface Choice {
  readonly value: string;
  readonly title?: string | null;
}

export interface PlanItem {
  readonly id: string;
  readonly content: string;
  readonly status: 'completed' | 'in_progress' | 'pending';
}

export interface ErrorNote {
  readonly code: string;
  readonly message: string;
}

export interface AutoApproval {
  readonly enabled: boolean;
  readonly cost_cap_usd?: number | null;
}

export interface TurnError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** A session as lists and `hello` show it; `queue` and `pending_...` are counts. `access` says what whoever is told of it may do with it. */
export interface Session {
  readonly id: string;
  readonly title: string;
  readonly owner: string;
  readonly model: string;
  readonly state: 'awaiting_approval' | 'ended' | 'idle' | 'running';
  readonly created_at: string;
  readonly active_at: string;
  readonly head: number;
  readonly queue: number;
  readonly pending_approvals: number;
  readonly usage: Spent;
  readonly last_turn: LastTurn | null;
  readonly pending_questions?: number;
  readonly access?: 'driver' | 'operator' | 'owner' | 'viewer';
}

/** Tokens and dollars of a session; a cost of None is unknown, never free. */
export interface Spent {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number | null;
}

/** How a turn ended; `reason` says why in one word, where it failed by its error's code. */
export interface LastTurn {
  readonly status: 'completed' | 'failed' | 'interrupted' | 'limit';
  readonly reason?: string;
}

/** One input that waits for its turn. */
export interface Queued {
  readonly submission: string;
  readonly text: string;
  readonly delivery: 'queue' | 'steer';
  readonly author?: string;
  readonly attachments?: readonly string[];
}

/** Tokens of the model's window: taken, and there at all. */
export interface Context {
  readonly used: number;
  readonly limit: number;
}

/** Somebody who watches a session; `role` is their access to it. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: 'driver' | 'operator' | 'owner' | 'viewer';
}

/** A session as the dashboard shows it; `turn_seconds` is the age of its open turn. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly owner: string;
  readonly model: string;
  readonly state: 'awaiting_approval' | 'ended' | 'idle' | 'running';
  readonly created_at: string;
  readonly active_at: string;
  readonly head: number;
  readonly queue: number;
  readonly pending_approvals: number;
  readonly usage: Spent;
  readonly last_turn: LastTurn | null;
  readonly pending_questions?: number;
  readonly access?: 'driver' | 'operator' | 'owner' | 'viewer';
  readonly activity: 'compacting' | 'model' | 'retrying' | 'tools' | 'waiting' | null;
  readonly turn_seconds: number | null;
  readonly tokens_per_second: number;
  readonly context: Context;
  readonly viewers: number;
}

/** The fleet in numbers; today's cost is None where a part of it is unknown. */
export interface Totals {
  readonly sessions: Tally;
  readonly viewers: number;
  readonly tokens_per_second: number;
  readonly turns_per_minute: number;
  readonly errors_per_minute: number;
  readonly cost_usd_today: number | null;
  readonly loop_lag_ms: number;
  readonly memory_mib: number;
}

/** How many sessions there are of each sort. */
export interface Tally {
  readonly live: number;
  readonly running: number;
  readonly awaiting_approval: number;
  readonly stored: number;
}

/** `mcp_servers` are those that it works with, of the configured; None: all of them. */
export interface SessionCreated {
  readonly seq: number;
  readonly at: string;
  readonly type: 'session_created';
  readonly model: string;
  readonly title: string;
  readonly forked_from?: Origin | null;
  readonly mcp_servers?: readonly string[] | null;
}

export interface InputQueued {
  readonly seq: number;
  readonly at: string;
  readonly type: 'input_queued';
  readonly submission: string;
  readonly text: string;
  readonly delivery: 'queue' | 'steer';
  readonly author: string;
  readonly attachments?: readonly string[];
}

export interface InputWithdrawn {
  readonly seq: number;
  readonly at: string;
  readonly type: 'input_withdrawn';
  readonly submission: string;
  readonly by: string;
}

export interface UserMessage {
  readonly seq: number;
  readonly at: string;
  readonly type: 'user_message';
  readonly turn: string;
  readonly submission: string;
  readonly text: string;
  readonly author: string;
  readonly steered?: boolean;
  readonly attachments?: readonly string[];
}

export interface TurnStarted {
  readonly seq: number;
  readonly at: string;
  readonly type: 'turn_started';
  readonly turn: string;
  readonly submission: string;
  readonly model: string;
}

/** Closes the open item: its text is authoritative; `partial` when it was cut short. */
export interface AssistantMessage {
  readonly seq: number;
  readonly at: string;
  readonly type: 'assistant_message';
  readonly turn: string;
  readonly item: string;
  readonly text: string;
  readonly reasoning?: string;
  readonly partial?: boolean;
}

/** A call the model made. `malformed` is the model's text where it was no JSON object. */
export interface ToolCall {
  readonly seq: number;
  readonly at: string;
  readonly type: 'tool_call';
  readonly turn: string;
  readonly call: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly effect: 'execute' | 'publish' | 'read' | 'spend' | 'write';
  readonly malformed?: string | null;
}

export interface ApprovalRequired {
  readonly seq: number;
  readonly at: string;
  readonly type: 'approval_required';
  readonly turn: string;
  readonly calls: readonly Question[];
}

export interface ApprovalResolved {
  readonly seq: number;
  readonly at: string;
  readonly type: 'approval_resolved';
  readonly turn: string;
  readonly decisions: readonly Decision[];
  readonly by: string;
  readonly submission: string;
}

/** `arguments` are there when a human edited them; `unasked`: it asks by itself, but was allowed beforehand, by auto-approval or by an approval that is remembered. */
export interface ToolStarted {
  readonly seq: number;
  readonly at: string;
  readonly type: 'tool_started';
  readonly turn: string;
  readonly call: string;
  readonly arguments?: JsonObject | null;
  readonly unasked?: boolean;
}

/** Either `fields` to fill in, or a page at `url` (of `host`) to open; `call` waits for it. */
export interface QuestionAsked {
  readonly seq: number;
  readonly at: string;
  readonly type: 'question_asked';
  readonly turn: string;
  readonly call: string;
  readonly question: string;
  readonly server: string;
  readonly message: string;
  readonly fields?: readonly Field[];
  readonly url?: string | null;
  readonly host?: string | null;
}

/** What the server is told; no `submission`: nobody answered, and it was taken back. */
export interface QuestionAnswered {
  readonly seq: number;
  readonly at: string;
  readonly type: 'question_answered';
  readonly turn: string;
  readonly call: string;
  readonly question: string;
  readonly action: 'accept' | 'cancel' | 'decline';
  readonly by: string;
  readonly submission?: string | null;
  readonly content?: JsonObject | null;
}

/** Closes a call. `size` counts the characters of the whole output, `seconds` its run time, `files` are paths in the workspace that it left for people to see, first the whole of what was cut. */
export interface ToolOutput {
  readonly seq: number;
  readonly at: string;
  readonly type: 'tool_output';
  readonly turn: string;
  readonly call: string;
  readonly status: 'cancelled' | 'error' | 'ok' | 'rejected' | 'unknown';
  readonly output: string;
  readonly truncated: boolean;
  readonly size: number;
  readonly seconds: number;
  readonly files?: readonly string[];
}

/** What a research did on its way: a call of its own, whose id `step` is; `output` is cut. */
export interface Step {
  readonly seq: number;
  readonly at: string;
  readonly type: 'step';
  readonly turn: string;
  readonly call: string;
  readonly step: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly status: 'cancelled' | 'error' | 'ok' | 'rejected' | 'unknown';
  readonly output: string;
  readonly seconds: number;
}

/** A call left work behind that goes on elsewhere, at a price or at one that nobody knows. */
export interface JobStarted {
  readonly seq: number;
  readonly at: string;
  readonly type: 'job_started';
  readonly turn: string;
  readonly call: string;
  readonly job: string;
  readonly title: string;
  readonly url?: string | null;
  readonly hardware?: string | null;
  readonly estimated_cost_usd?: number | null;
}

/** May come at any time, also between turns; `output` is the end of what the job printed. */
export interface JobEnded {
  readonly seq: number;
  readonly at: string;
  readonly type: 'job_ended';
  readonly job: string;
  readonly status: 'cancelled' | 'error' | 'ok' | 'unknown';
  readonly output: string;
  readonly seconds: number;
  readonly cost_usd?: number | null;
  readonly url?: string | null;
}

export interface PlanUpdated {
  readonly seq: number;
  readonly at: string;
  readonly type: 'plan_updated';
  readonly turn: string;
  readonly items: readonly PlanItem[];
}

/** What one model request used; a cost of None is unknown, never free. */
export interface Usage {
  readonly seq: number;
  readonly at: string;
  readonly type: 'usage';
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_tokens: number;
  readonly cost_usd: number | null;
  readonly purpose: 'compaction' | 'main' | 'research' | 'title';
  readonly turn?: string | null;
}

/** `attempt` is the one that failed, from 1; the next begins after `wait_seconds`. */
export interface Retrying {
  readonly seq: number;
  readonly at: string;
  readonly type: 'retrying';
  readonly attempt: number;
  readonly of: number;
  readonly wait_seconds: number;
  readonly error: ErrorNote;
  readonly turn?: string | null;
}

/** A note; one with a turn is shown to the model, with a `job` it tells of that job's end. */
export interface Notice {
  readonly seq: number;
  readonly at: string;
  readonly type: 'notice';
  readonly code: string;
  readonly text: string;
  readonly turn?: string | null;
  readonly job?: string | null;
}

/** The model is shown `summary` in place of the log up to `through`, the first message aside. */
export interface Compacted {
  readonly seq: number;
  readonly at: string;
  readonly type: 'compacted';
  readonly before_tokens: number;
  readonly after_tokens: number;
  readonly summary: string;
  readonly through: number;
  readonly submission?: string | null;
}

export interface TurnUndone {
  readonly seq: number;
  readonly at: string;
  readonly type: 'turn_undone';
  readonly turn: string;
  readonly submission: string;
}

export interface SessionUpdated {
  readonly seq: number;
  readonly at: string;
  readonly type: 'session_updated';
  readonly by: string;
  readonly title?: string | null;
  readonly model?: string | null;
  readonly auto_approval?: AutoApproval | null;
}

export interface TurnEnded {
  readonly seq: number;
  readonly at: string;
  readonly type: 'turn_ended';
  readonly turn: string;
  readonly status: 'completed' | 'failed' | 'interrupted' | 'limit';
  readonly reason?: string | null;
  readonly error?: TurnError | null;
}

export interface SessionEnded {
  readonly seq: number;
  readonly at: string;
  readonly type: 'session_ended';
  readonly reason: string;
  readonly by?: string | null;
}

/** The first frame: `first` (on the wire `from`) numbers the first event that would follow. */
export interface Hello {
  readonly type: 'hello';
  readonly session: Session;
  readonly log: string;
  readonly head: number;
  readonly mode: 'replay' | 'tail';
  readonly from: number;
  readonly protocol: number;
  readonly reason?: 'unknown_position';
}

/** Everything up to `seq` has been sent; comes once. */
export interface Synced {
  readonly type: 'synced';
  readonly seq: number;
}

/** The text of an open item from code point `offset` on. */
export interface TextDelta {
  readonly type: 'text_delta';
  readonly turn: string;
  readonly item: string;
  readonly offset: number;
  readonly text: string;
}

/** The reasoning of an open item from code point `offset` on. */
export interface ReasoningDelta {
  readonly type: 'reasoning_delta';
  readonly turn: string;
  readonly item: string;
  readonly offset: number;
  readonly text: string;
}

/** A running tool's output from `offset` on; `skipped` characters right before it are gone. */
export interface ToolLog {
  readonly type: 'tool_log';
  readonly turn: string;
  readonly call: string;
  readonly offset: number;
  readonly text: string;
  readonly skipped?: number;
}

/** What a session is doing now; the broadcaster fills in `viewers` (connections) and `people`, each once. */
export interface Status {
  readonly type: 'status';
  readonly state: 'awaiting_approval' | 'ended' | 'idle' | 'running';
  readonly queue: readonly Queued[];
  readonly held: boolean;
  readonly context: Context;
  readonly viewers: number;
  readonly turn?: string | null;
  readonly activity?: 'compacting' | 'model' | 'retrying' | 'tools' | 'waiting' | null;
  readonly people?: readonly Person[];
}

/** A sign of life; on a session's socket `head` is the last published seq. */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly at: string;
  readonly head?: number | null;
}

/** The last frame before the server closes; `code` is the close code. */
export interface Bye {
  readonly type: 'bye';
  readonly code: number;
  readonly reason: string;
  readonly retry_after?: number | null;
}

/** Committed: `seq` is the first event it caused. */
export interface Accepted {
  readonly type: 'accepted';
  readonly id: string;
  readonly seq: number;
  readonly duplicate?: boolean;
}

/** No effect; `id` is null where it could not be read. `retry_after` is in seconds. */
export interface Refused {
  readonly type: 'refused';
  readonly id: string | null;
  readonly code: string;
  readonly message: string;
  readonly retry_after?: number | null;
}

export interface Pong {
  readonly type: 'pong';
  readonly id: string;
  readonly at: string;
}

/** All rows with `at` first (`full`), then changed rows with the ids that are `gone`. */
export interface Fleet {
  readonly type: 'fleet';
  readonly full: boolean;
  readonly sessions: readonly Row[];
  readonly totals: Totals;
  readonly at?: string | null;
  readonly gone?: readonly string[] | null;
}

/** What a client asks of a session. */
export type Submission =
  | UserInput
  | Approval
  | Answer
  | Interrupt
  | Resume
  | Withdraw
  | Undo
  | Retry
  | Compact
  | SetModel
  | SetAutoApproval
  | Shutdown
  | Ping;

/** What is in the log. */
export type DurableEvent =
  | SessionCreated
  | InputQueued
  | InputWithdrawn
  | UserMessage
  | TurnStarted
  | AssistantMessage
  | ToolCall
  | ApprovalRequired
  | ApprovalResolved
  | ToolStarted
  | QuestionAsked
  | QuestionAnswered
  | ToolOutput
  | Step
  | JobStarted
  | JobEnded
  | PlanUpdated
  | Usage
  | Retrying
  | Notice
  | Compacted
  | TurnUndone
  | SessionUpdated
  | TurnEnded
  | SessionEnded;

/** What one submission is answered with. */
export type Receipt =
  | Accepted
  | Refused
  | Pong;

/** What a session's socket says beside the log. */
export type LiveFrame =
  | Hello
  | Synced
  | TextDelta
  | ReasoningDelta
  | ToolLog
  | Status
  | Heartbeat
  | Bye
  | Accepted
  | Refused
  | Pong;

/** What the dashboard's socket says. */
export type BoardFrame =
  | Fleet
  | Heartbeat
  | Bye;

export type ServerFrame = DurableEvent | LiveFrame;
