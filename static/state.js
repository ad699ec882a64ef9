// A session as one page knows it: what the frames so far add up to. Pure: no page, clock, network.

/** Characters of one live log that the page keeps; the server keeps no more either. */
const LOG_KEPT = 262144;

export const empty = Object.freeze({
  log: null, seq: 0, oldest: 1, synced: false, fault: null,
  session: null, status: null, turn: null, ended: null, bye: null,
  entries: [], events: [], plans: [], queued: {}, used: { input: 0, output: 0, cost: 0 },
});

/** The next state. `fault` says that the server broke its own rules and we must ask again. */
export function apply(state, frame) {
  if (frame.seq !== undefined && frame.at !== undefined) return durable(state, frame);
  return LIVE.has(frame.type) ? LIVE.get(frame.type)(state, frame) : state;
}

/** The same state with older events put before it (a page of the log, ascending). */
export function earlier(state, page) {
  if (!page.length) return { ...state, oldest: 1 };
  const past = [...page, ...state.events];
  let whole = { ...empty, session: state.session, seq: page[0].seq - 1, oldest: page[0].seq };
  for (const event of past) whole = durable(whole, event);
  const known = new Map(state.entries.map((entry) => [entry.key, entry]));
  const entries = whole.entries.map((e) => (e.log ? { ...e, log: known.get(e.key)?.log ?? e.log } : e));
  const open = state.entries.filter((entry) => entry.open);
  const { log, synced, status, session } = state;
  return { ...whole, log, synced, status, session, entries: [...entries, ...open] };
}

/** What lies beyond the text we have is appended; null when there is a hole. Offsets are code points. */
export function grow(stream, frame) {
  const old = stream.stale ? { text: '', have: 0, skipped: 0 } : stream;
  const known = old.have - frame.offset;
  if (known < 0 && !frame.skipped) return null;
  if (known < 0) {
    const have = frame.offset + points(frame.text);
    return { text: frame.text, have, skipped: frame.skipped, stale: false };
  }
  const fresh = known === 0 ? frame.text : beyond(frame.text, known);
  return { ...old, text: old.text + fresh, have: old.have + points(fresh), stale: false };
}

export const working = (state) => ['running', 'awaiting_approval'].includes(phase(state));
export const phase = (state) => state.status?.state ?? state.session?.state ?? 'idle';
export const asked = (state) => state.entries.filter((e) => e.kind === 'tool' && e.state === 'asks');
export const plan = (state) => state.plans.at(-1)?.items ?? [];

const SURROGATES = /[\ud800-\udfff]/;
const points = (text) => (SURROGATES.test(text) ? [...text].length : text.length);
const beyond = (text, count) => (SURROGATES.test(text) ? [...text].slice(count).join('') : text.slice(count));
const stream = () => ({ text: '', have: 0, skipped: 0, stale: false });

function durable(state, event) {
  if (event.seq !== state.seq + 1) return { ...state, fault: 'gap' };
  const next = { ...state, seq: event.seq, events: [...state.events, event] };
  return EVENTS.has(event.type) ? EVENTS.get(event.type)(next, event) : next;
}

/** Put or change the entry with this key; `change` gets the old one, or undefined. */
function put(state, key, change) {
  const at = state.entries.findLastIndex((entry) => entry.key === key);
  const entries = state.entries.slice();
  if (at < 0) entries.push({ key, ...change(undefined) });
  else entries[at] = { ...entries[at], ...change(entries[at]) };
  return { ...state, entries };
}

const note = (state, event, fields) =>
  put(state, `e:${event.seq}`, () => ({ kind: 'note', turn: event.turn, at: event.at, ...fields }));
const tool = (state, call, change) =>
  put(state, `c:${call}`, (old) => change(old ?? { kind: 'tool', call, tool: '?', arguments: {}, log: stream() }));

/** A retry undoes a turn and says the same again: once is enough to read. */
const retried = (state, submission) => ({
  ...state,
  entries: state.entries.map((entry) => (entry.undone === submission ? { ...entry, retried: true } : entry)),
});

const EVENTS = new Map(Object.entries({
  session_created: (s, e) => ({ ...s, session: { ...s.session, model: e.model, title: e.title } }),
  session_updated(s, e) {
    const known = Object.entries({ title: e.title, model: e.model, auto_approval: e.auto_approval });
    const session = { ...s.session, ...Object.fromEntries(known.filter(([, value]) => value !== undefined)) };
    const shown = e.model !== undefined || e.auto_approval !== undefined;
    return shown ? note({ ...s, session }, e, { about: 'updated', event: e }) : { ...s, session };
  },
  input_queued: (s, e) => ({ ...s, queued: { ...s.queued, [e.submission]: e.attachments ?? [] } }),
  user_message: (s, e) => put(retried(s, e.submission), `u:${e.submission}`, () => ({
    kind: 'user', turn: e.turn, at: e.at, text: e.text, author: e.author,
    steered: e.steered ?? false, attachments: e.attachments ?? [],
  })),
  turn_started: (s, e) => ({ ...s, turn: { id: e.turn, at: e.at } }),
  assistant_message: (s, e) => put(s, `m:${e.item}`, () => ({
    kind: 'assistant', turn: e.turn, at: e.at, open: false, partial: e.partial ?? false,
    text: { ...stream(), text: e.text }, reasoning: { ...stream(), text: e.reasoning ?? '' },
  })),
  tool_call: (s, e) => tool(s, e.call, (old) => ({
    ...old, turn: e.turn, tool: e.tool, arguments: e.arguments, malformed: e.malformed, state: 'queued',
  })),
  approval_required: (s, e) => e.calls.reduce((next, q) => tool(next, q.call, (old) => ({
    ...old, turn: e.turn, tool: q.tool, arguments: q.arguments, state: 'asks',
    question: { reason: q.reason, cost: q.estimated_cost_usd ?? null },
  })), s),
  approval_resolved: (s, e) => e.decisions.reduce((next, d) => tool(next, d.call, (old) => ({
    ...old, turn: e.turn, state: d.decision === 'approve' ? 'queued' : 'rejected',
    arguments: d.arguments ?? old.arguments, ruling: { ...d, by: e.by },
  })), s),
  tool_started: (s, e) => tool(s, e.call, (old) => ({
    ...old, state: 'running', since: e.at, arguments: e.arguments ?? old.arguments,
  })),
  tool_output: (s, e) => tool(s, e.call, (old) => ({
    ...old, turn: e.turn, state: e.status, output: e.output, truncated: e.truncated,
    size: e.size, seconds: e.seconds, log: stream(),
  })),
  plan_updated: (s, e) => ({ ...s, plans: [...s.plans, { turn: e.turn, items: e.items }] }),
  usage: (s, e) => ({
    ...s,
    used: {
      input: s.used.input + e.input_tokens,
      output: s.used.output + e.output_tokens,
      cost: s.used.cost === null || e.cost_usd === null ? null : s.used.cost + e.cost_usd,
    },
  }),
  retrying: (s, e) => put(s, `r:${e.turn}`, () => ({
    kind: 'note', about: 'retrying', turn: e.turn, at: e.at, event: e,
  })),
  notice: (s, e) => note(s, e, { about: 'notice', event: e }),
  compacted: (s, e) => note(s, e, { about: 'compacted', event: e }),
  turn_undone: (s, e) => ({
    ...s,
    plans: s.plans.filter((p) => p.turn !== e.turn),
    entries: s.entries.map((entry) => (entry.turn === e.turn ? { ...entry, undone: e.submission } : entry)),
  }),
  turn_ended(s, e) {
    const entries = s.entries.filter((entry) => !(entry.turn === e.turn && entry.open));
    const next = { ...s, entries, turn: null };
    return e.status === 'completed' ? next : note(next, e, { about: 'ended', event: e });
  },
  session_ended: (s, e) => note({ ...s, ended: e.reason }, e, { about: 'session_ended', event: e }),
}));

const LIVE = new Map(Object.entries({
  hello(s, f) {
    const kept = f.mode === 'replay' && (s.log === null || s.log === f.log) && f.from === s.seq + 1;
    if (f.mode === 'replay' && !kept && f.from !== 1) return { ...s, fault: 'gap' };
    const base = kept ? s : { ...empty, seq: f.from - 1, oldest: f.from };
    const entries = base.entries.map((e) => (e.open || e.log?.text ? stale(e) : e));
    return { ...base, log: f.log, session: { ...base.session, ...f.session }, entries, synced: false, fault: null, status: null, bye: null };
  },
  synced(s, f) {
    if (f.seq !== s.seq) return { ...s, fault: 'gap' };
    return { ...s, synced: true, entries: s.entries.filter((e) => !(e.open && e.text.stale && e.reasoning.stale)) };
  },
  status: (s, f) => ({ ...s, status: f }),
  bye: (s, f) => ({ ...s, bye: f }),
  text_delta: (s, f) => spoken(s, f, 'text'),
  reasoning_delta: (s, f) => spoken(s, f, 'reasoning'),
  tool_log(s, f) {
    const old = s.entries.findLast((entry) => entry.key === `c:${f.call}`);
    const log = grow(old?.log ?? stream(), f);
    if (log === null) return { ...s, fault: 'hole' };
    const extra = log.text.length - LOG_KEPT;
    const kept = extra > LOG_KEPT ? { ...log, text: log.text.slice(extra), skipped: log.skipped + extra } : log;
    return tool(s, f.call, (entry) => ({ ...entry, turn: f.turn, log: kept }));
  },
}));

/** An open item that the server has not yet sent again on this connection. */
function stale(entry) {
  if (entry.kind === 'tool') return { ...entry, log: { ...entry.log, stale: true } };
  const { text, reasoning } = entry;
  return { ...entry, text: { ...text, stale: true }, reasoning: { ...reasoning, stale: true } };
}

function spoken(state, frame, part) {
  const old = state.entries.findLast((entry) => entry.key === `m:${frame.item}`);
  if (old && !old.open) return state;
  const grown = grow(old?.[part] ?? stream(), frame);
  if (grown === null) return { ...state, fault: 'hole' };
  const fresh = { kind: 'assistant', turn: frame.turn, open: true, text: stream(), reasoning: stream() };
  return put(state, `m:${frame.item}`, () => ({ ...(old ?? fresh), [part]: grown }));
}
