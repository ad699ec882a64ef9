// Every word that depends on data: states, errors and what to do about them, sizes, times.

const REMEDIES = new Map(
  Object.entries({
    offline: 'It is tried again by itself; what you send now is kept.',
    not_connected: 'The server cannot be reached just now. Try again when the connection is back.',
    stale_approval: 'Look at the question again and decide anew.',
    busy: 'Stop the running turn first, or wait until it ends.',
    already_decided: 'Nothing more to do here.',
    nothing_to_undo: 'There is no turn left to take back.',
    nothing_to_compact: 'The conversation is still short.',
    no_such_model: 'Pick another model.',
    too_long: 'Put the text into a file, upload it, and refer to it.',
    too_many_queued: 'Withdraw a queued message, or wait until one has begun.',
    too_many_sessions: 'Delete a session you no longer need.',
    rate_limited: 'Wait a moment, then try again.',
    server_full: 'The server is busy. Try again in a minute.',
    unavailable: 'Try again in a moment.',
    unauthenticated: 'This server asks for a token, and this page has no log-in yet. Use it on the server’s own machine, or an app that can send a token.',
    unauthorized: 'This server asks for a token, and this page has no log-in yet. Use it on the server’s own machine, or an app that can send a token.',
    forbidden: 'Ask the owner of this session for access.',
    no_such_session: 'It was deleted, or it belongs to someone else.',
    session_ended: 'Start a new session to go on.',
    bad_path: 'Choose a plain file name.',
    context_overflow: 'Compact the conversation, then try again.',
  }),
);

export const remedy = (code) => REMEDIES.get(code) ?? '';

const STATES = new Map(
  Object.entries({
    idle: 'Idle',
    running: 'Working',
    awaiting_approval: 'Needs you',
    ended: 'Ended',
  }),
);
export const stateWord = (state) => STATES.get(state) ?? state;

const ACTIVITIES = new Map(
  Object.entries({
    waiting: 'waiting for a free slot',
    model: 'the model is answering',
    retrying: 'asking the model again',
    tools: 'running tools',
    compacting: 'summarising the conversation',
  }),
);
export const activityWord = (activity) => ACTIVITIES.get(activity) ?? '';

const TOOL_STATES = new Map(
  Object.entries({
    queued: 'queued',
    asks: 'asks first',
    running: 'running',
    ok: 'done',
    error: 'failed',
    rejected: 'rejected',
    cancelled: 'cancelled',
    unknown: 'outcome unknown',
  }),
);
export const toolWord = (state) => TOOL_STATES.get(state) ?? state;

const LIMITS = new Map(
  Object.entries({
    iterations: 'the number of steps',
    repetition: 'going in circles',
    budget_usd: 'the budget',
    tokens: 'the number of tokens',
    time: 'the time',
  }),
);

const PAUSES = new Map(
  Object.entries({
    server_restart: 'The server restarted and this turn was cut short. What was said is kept.',
    superseded: 'Your newer message took the place of this turn.',
  }),
);

/** How a turn that did not complete is told: [text, tone]. */
export function endWords({ status, reason, error }) {
  if (status === 'failed')
    return [`This turn failed. ${error?.message ?? ''} ${remedy(error?.code)}`.trim(), 'bad'];
  if (status === 'limit') return [`Stopped at a limit: ${LIMITS.get(reason) ?? reason}.`, 'warn'];
  return [PAUSES.get(reason) ?? 'Stopped.', 'quiet'];
}

export function noteWords({ about, event }) {
  if (about === 'ended') return endWords(event);
  if (about === 'notice') return [event.text, 'quiet'];
  if (about === 'session_ended') return ['This session has ended. It stays readable.', 'quiet'];
  if (about === 'compacted') {
    const { before_tokens: before, after_tokens: after } = event;
    return [`Summarised: ${count(before)} → ${count(after)} tokens.`, 'quiet'];
  }
  if (about === 'retrying') {
    const { attempt, of, wait_seconds: wait, error } = event;
    return [`${error.message} Attempt ${attempt} of ${of}; the next in ${wait} s.`, 'warn'];
  }
  if (event.model !== undefined) return [`Model: ${event.model}`, 'quiet'];
  const how = event.auto_approval?.enabled ? 'given automatically' : 'asked for';
  return [`Approvals are ${how} from here on.`, 'quiet'];
}

const REASONS = new Map(
  Object.entries({
    ended: 'This session has ended.',
    unauthenticated: 'This server asks for a token, which this page cannot send yet.',
    forbidden: 'You may not see this session.',
    no_such_session: 'There is no such session.',
  }),
);
export const closedWords = (reason) =>
  `${REASONS.get(reason) ?? 'The connection is closed.'} ${remedy(reason)}`.trim();

export function count(number) {
  if (number < 1000) return String(number);
  if (number < 1e6) return `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`;
  return `${(number / 1e6).toFixed(1)}M`;
}

export const bytes = (size) =>
  size < 1024
    ? `${size} B`
    : size < 1048576
      ? `${(size / 1024).toFixed(0)} KB`
      : `${(size / 1048576).toFixed(1)} MB`;

export const seconds = (value) =>
  value < 60
    ? `${value.toFixed(1)} s`
    : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;

export const money = (usd) => `$${usd < 1 ? usd.toFixed(3) : usd.toFixed(2)}`;

export function ago(at, now = Date.now()) {
  const minutes = Math.max(0, (now - Date.parse(at)) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${Math.floor(minutes)} min`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 1440)} d`;
}

/** What a tool call is about, in one line. */
export function callSummary({ tool, arguments: given }) {
  const first = given.description ?? given.command ?? given.path ?? given.query ?? given.operation;
  if (typeof first === 'string') return first.split('\n')[0];
  if (tool === 'plan' && Array.isArray(given.items)) return `${given.items.length} steps`;
  const names = Object.keys(given);
  return names.length ? names.join(', ') : '';
}
