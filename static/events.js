// What each event of the log does to a session's state. Pure.

import { note, put, stream, tool } from './entries.js';

/** A retry undoes a turn and says the same again: once is enough to read. */
const retried = (state, submission) => ({
  ...state,
  entries: state.entries.map((entry) =>
    entry.undone === submission ? { ...entry, retried: true } : entry,
  ),
});

export const EVENTS = new Map(
  Object.entries({
    session_created: (s, e) => ({
      ...s,
      session: { ...s.session, model: e.model, title: e.title },
    }),
    session_updated(s, e) {
      const known = Object.entries({
        title: e.title,
        model: e.model,
        auto_approval: e.auto_approval,
      });
      const session = {
        ...s.session,
        ...Object.fromEntries(known.filter(([, value]) => value !== undefined)),
      };
      const shown = e.model !== undefined || e.auto_approval !== undefined;
      return shown ? note({ ...s, session }, e, { about: 'updated', event: e }) : { ...s, session };
    },
    input_queued: (s, e) => ({
      ...s,
      queued: { ...s.queued, [e.submission]: e.attachments ?? [] },
    }),
    user_message: (s, e) =>
      put(retried(s, e.submission), `u:${e.submission}`, () => ({
        kind: 'user',
        turn: e.turn,
        at: e.at,
        text: e.text,
        author: e.author,
        steered: e.steered ?? false,
        attachments: e.attachments ?? [],
      })),
    turn_started: (s, e) => ({ ...s, turn: { id: e.turn, at: e.at } }),
    assistant_message: (s, e) =>
      put(s, `m:${e.item}`, () => ({
        kind: 'assistant',
        turn: e.turn,
        at: e.at,
        open: false,
        partial: e.partial ?? false,
        text: { ...stream(), text: e.text },
        reasoning: { ...stream(), text: e.reasoning ?? '' },
      })),
    tool_call: (s, e) =>
      tool(s, e.call, (old) => ({
        ...old,
        turn: e.turn,
        tool: e.tool,
        arguments: e.arguments,
        malformed: e.malformed,
        state: 'queued',
      })),
    approval_required: (s, e) =>
      e.calls.reduce(
        (next, q) =>
          tool(next, q.call, (old) => ({
            ...old,
            turn: e.turn,
            tool: q.tool,
            arguments: q.arguments,
            state: 'asks',
            question: { reason: q.reason, cost: q.estimated_cost_usd ?? null },
          })),
        s,
      ),
    approval_resolved: (s, e) =>
      e.decisions.reduce(
        (next, d) =>
          tool(next, d.call, (old) => ({
            ...old,
            turn: e.turn,
            state: d.decision === 'approve' ? 'queued' : 'rejected',
            arguments: d.arguments ?? old.arguments,
            ruling: { ...d, by: e.by },
          })),
        s,
      ),
    tool_started: (s, e) =>
      tool(s, e.call, (old) => ({
        ...old,
        state: 'running',
        since: e.at,
        arguments: e.arguments ?? old.arguments,
      })),
    tool_output: (s, e) =>
      tool(s, e.call, (old) => ({
        ...old,
        turn: e.turn,
        state: e.status,
        output: e.output,
        truncated: e.truncated,
        size: e.size,
        seconds: e.seconds,
        log: stream(),
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
    retrying: (s, e) =>
      put(s, `r:${e.turn}`, () => ({
        kind: 'note',
        about: 'retrying',
        turn: e.turn,
        at: e.at,
        event: e,
      })),
    notice: (s, e) => note(s, e, { about: 'notice', event: e }),
    compacted: (s, e) => note(s, e, { about: 'compacted', event: e }),
    turn_undone: (s, e) => ({
      ...s,
      plans: s.plans.filter((p) => p.turn !== e.turn),
      entries: s.entries.map((entry) =>
        entry.turn === e.turn ? { ...entry, undone: e.submission } : entry,
      ),
    }),
    turn_ended(s, e) {
      const entries = s.entries.filter((entry) => !(entry.turn === e.turn && entry.open));
      const next = { ...s, entries, turn: null };
      return e.status === 'completed' ? next : note(next, e, { about: 'ended', event: e });
    },
    session_ended: (s, e) =>
      note({ ...s, ended: e.reason }, e, { about: 'session_ended', event: e }),
  }),
);
