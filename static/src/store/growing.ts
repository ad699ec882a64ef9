// Texts that grow by deltas whose offsets count code points. Pure; costs what a delta costs.

import { type Growing, nothing } from './state.ts';

/** Characters of one live log that are kept; the server keeps no more either. */
export const LOG_KEPT = 262_144;
const SURROGATE = /[\ud800-\udfff]/;

interface Delta {
  readonly offset: number;
  readonly text: string;
  readonly skipped?: number;
}

/** What lies beyond the text we have is appended; null at a hole. */
export function grow(have: Growing, delta: Delta): Growing | null {
  const old = have.stale ? nothing : have;
  const known = old.length - delta.offset;
  if (known < 0) return -known <= (delta.skipped ?? 0) ? resumed(delta) : null;
  const fresh = known === 0 ? delta.text : beyond(delta.text, known);
  if (fresh === '') return have.stale ? old : have;
  return { ...old, text: old.text + fresh, length: old.length + points(fresh) };
}

/** Without its beginning, once it is twice as long as what is kept. */
export function trimmed(log: Growing): Growing {
  if (log.text.length <= 2 * LOG_KEPT) return log;
  let cut = log.text.length - LOG_KEPT;
  if (isSecondHalf(log.text, cut)) cut += 1;
  const gone = points(log.text.slice(0, cut));
  return { ...log, text: log.text.slice(cut), skipped: log.skipped + gone };
}

/** Code points of a text. */
export function points(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** The text without its first `count` code points. */
export function beyond(text: string, count: number): string {
  if (!SURROGATE.test(text)) return text.slice(count);
  let at = 0;
  for (let left = count; left > 0 && at < text.length; left -= 1) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return text.slice(at);
}

/** What came before it is gone for good. */
const resumed = ({ offset, text }: Delta): Growing => ({
  text,
  skipped: offset,
  length: offset + points(text),
  stale: false,
});

const isSecondHalf = (text: string, at: number): boolean => text.codePointAt(at - 1)! > 0xffff;
