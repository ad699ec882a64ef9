// The entries of a conversation, and the texts that grow in them. Pure.

/** What lies beyond the text we have is appended; null at a hole. Offsets are code points. */
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

const SURROGATES = /[\ud800-\udfff]/;
const points = (text) => (SURROGATES.test(text) ? [...text].length : text.length);
const beyond = (text, count) =>
  SURROGATES.test(text) ? [...text].slice(count).join('') : text.slice(count);
export const stream = () => ({ text: '', have: 0, skipped: 0, stale: false });

/** Put or change the entry with this key; `change` gets the old one, or undefined. */
export function put(state, key, change) {
  const at = state.entries.findLastIndex((entry) => entry.key === key);
  const entries = state.entries.slice();
  if (at < 0) entries.push({ key, ...change(undefined) });
  else entries[at] = { ...entries[at], ...change(entries[at]) };
  return { ...state, entries };
}

export const note = (state, event, fields) =>
  put(state, `e:${event.seq}`, () => ({ kind: 'note', turn: event.turn, at: event.at, ...fields }));
export const tool = (state, call, change) =>
  put(state, `c:${call}`, (old) =>
    change(old ?? { kind: 'tool', call, tool: '?', arguments: {}, log: stream() }),
  );
