// Growing texts: offsets are code points, overlap adds nothing, a hole is noticed.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOG_KEPT, beyond, grow, points, trimmed } from '../../static/src/store/growing.ts';
import { type Growing, nothing } from '../../static/src/store/state.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const cut = (whole: string, from: number, to: number) => [...whole].slice(from, to).join('');

test('any pieces that leave no hole make the whole text', () => {
  fc.assert(
    fc.property(text, fc.array(fc.tuple(fc.nat(50), fc.nat(50))), (whole, spans) => {
      let have: Growing = nothing;
      for (const [back, more] of spans) {
        const offset = Math.max(0, have.length - back);
        const next = grow(have, { offset, text: cut(whole, offset, have.length + more) });
        expect(next).not.toBeNull();
        have = next ?? have;
        expect(have.text).toBe(cut(whole, 0, have.length));
        expect(have.length).toBe([...have.text].length);
      }
    }),
  );
});

test('points and beyond count as the spread of a string does', () => {
  fc.assert(
    fc.property(text, fc.nat(50), (whole, count) => {
      expect(points(whole)).toBe([...whole].length);
      expect(beyond(whole, count)).toBe([...whole].slice(count).join(''));
    }),
  );
});

describe('what is missing', () => {
  const have = grow(nothing, { offset: 0, text: 'abc' }) ?? nothing;

  test('is a hole', () => expect(grow(have, { offset: 4, text: 'e' })).toBeNull());
  test('is a hole also where too little was skipped', () =>
    expect(grow(have, { offset: 9, text: 'e', skipped: 2 })).toBeNull());
  test('is no hole where the server says that it skipped it', () =>
    expect(grow(have, { offset: 9, text: 'e', skipped: 6 })).toMatchObject({
      ...{ text: 'e', skipped: 9, length: 10 },
    }));
});

test('what adds nothing is the same text', () => {
  const have = grow(nothing, { offset: 0, text: 'abc' }) ?? nothing;
  expect(grow(have, { offset: 1, text: 'bc' })).toBe(have);
});

test('a stale text begins anew with what the server sends again', () => {
  const stale = { text: 'Hello wor', skipped: 0, length: 9, stale: true };
  expect(grow(stale, { offset: 0, text: 'He' })).toEqual({ ...nothing, text: 'He', length: 2 });
  expect(grow(stale, { offset: 3, text: 'lo' })).toBeNull();
  expect(grow(stale, { offset: 0, text: '' })).toEqual(nothing);
});

describe('a long log', () => {
  test.each([['x', ''], ['', 'x']])('keeps its end, whole code points, and its length: %j, emoji, %j', (start, end) => {
    const whole = `${start}${'😀'.repeat(LOG_KEPT + 3)}${end}`;
    const log = trimmed({ ...nothing, text: whole, length: points(whole) });
    expect(log.text.length).toBeLessThanOrEqual(LOG_KEPT);
    expect(log.skipped + points(log.text)).toBe(log.length);
    expect(log.text.codePointAt(0)).toBe('😀'.codePointAt(0));
  });

  test('goes on behind what was trimmed', () => {
    let log: Growing = nothing;
    for (let piece = 0; piece < 40; piece += 1) {
      const next = grow(log, { offset: log.length, text: '0123456789'.repeat(2_000) });
      log = trimmed(next ?? nothing);
    }
    expect(log.length).toBe(800_000);
    expect(log.text.length).toBeLessThanOrEqual(2 * LOG_KEPT);
    expect(grow(log, { offset: 799_999, text: '9!' })?.text.endsWith('89!')).toBe(true);
  });
});
