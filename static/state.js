// A session as one page knows it: what the frames so far add up to. Pure: no page, clock, network.

import { grow, put, stream, tool } from './entries.js';
import { EVENTS } from './events.js';

/** Characters of one live log that the page keeps; the server keeps no more either. */
const LOG_KEPT = 262144;

export const empty = Object.freeze({
  log: null,
  seq: 0,
  oldest: 1,
  synced: false,
  fault: null,
  session: null,
  status: null,
  turn: null,
  ended: null,
  bye: null,
  entries: [],
  events: [],
  plans: [],
  queued: {},
  used: { input: 0, output: 0, cost: 0 },
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
  const entries = whole.entries.map((e) =>
    e.log ? { ...e, log: known.get(e.key)?.log ?? e.log } : e,
  );
  const open = state.entries.filter((entry) => entry.open);
  const { log, synced, status, session } = state;
  return { ...whole, log, synced, status, session, entries: [...entries, ...open] };
}

export const working = (state) => ['running', 'awaiting_approval'].includes(phase(state));
export const phase = (state) => state.status?.state ?? state.session?.state ?? 'idle';
export const asked = (state) =>
  state.entries.filter((e) => e.kind === 'tool' && e.state === 'asks');
export const plan = (state) => state.plans.at(-1)?.items ?? [];

function durable(state, event) {
  if (event.seq !== state.seq + 1) return { ...state, fault: 'gap' };
  const next = { ...state, seq: event.seq, events: [...state.events, event] };
  return EVENTS.has(event.type) ? EVENTS.get(event.type)(next, event) : next;
}

const LIVE = new Map(
  Object.entries({
    hello(s, f) {
      const kept =
        f.mode === 'replay' && (s.log === null || s.log === f.log) && f.from === s.seq + 1;
      if (f.mode === 'replay' && !kept && f.from !== 1) return { ...s, fault: 'gap' };
      const base = kept ? s : { ...empty, seq: f.from - 1, oldest: f.from };
      const entries = base.entries.map((e) => (e.open || e.log?.text ? stale(e) : e));
      return {
        ...base,
        log: f.log,
        session: { ...base.session, ...f.session },
        entries,
        synced: false,
        fault: null,
        status: null,
        bye: null,
      };
    },
    synced(s, f) {
      if (f.seq !== s.seq) return { ...s, fault: 'gap' };
      return {
        ...s,
        synced: true,
        entries: s.entries.filter((e) => !(e.open && e.text.stale && e.reasoning.stale)),
      };
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
      const kept =
        extra > LOG_KEPT
          ? { ...log, text: log.text.slice(extra), skipped: log.skipped + extra }
          : log;
      return tool(s, f.call, (entry) => ({ ...entry, turn: f.turn, log: kept }));
    },
  }),
);

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
  const fresh = {
    kind: 'assistant',
    turn: frame.turn,
    open: true,
    text: stream(),
    reasoning: stream(),
  };
  return put(state, `m:${frame.item}`, () => ({ ...(old ?? fresh), [part]: grown }));
}
