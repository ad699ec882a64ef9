// What changed between two texts.

import fc from 'fast-check';
import { diffLines } from '../../static/src/text/diff.ts';

const text = fc.array(fc.constantFrom('a', 'b', 'c', 'let x = 1', 'let x = 2', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));
const side = (before: string, after: string, kind: 'removed' | 'added') =>
  diffLines(before, after).filter((line) => line.kind === 'same' || line.kind === kind).map((line) => line.text).join('\n');

describe('a diff', () => {
  it('holds both texts', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(side(before, after, 'removed')).toBe(before);
        expect(side(before, after, 'added')).toBe(after);
      }),
    );
  });

  it('is the shortest', () => {
    const kinds = diffLines('a\nb\nc\na\nb\nb\na', 'c\nb\na\nb\na\nc').map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'same').length).toBe(5);
  });

  it('marks the words that changed within a line', () => {
    expect(diffLines('lr = 0.1 # rate', 'lr = 0.2 # rate')).toEqual([
      { kind: 'removed', text: 'lr = 0.1 # rate', marks: [[7, 8]] },
      { kind: 'added', text: 'lr = 0.2 # rate', marks: [[7, 8]] },
    ]);
  });

  it('marks as one what changed side by side', () => {
    const [removed, added] = diffLines('keep these words (a) here', 'keep these words [b] here');
    expect([removed?.marks, added?.marks]).toEqual([[[17, 20]], [[17, 20]]]);
  });

  it('marks nothing in lines that have little in common', () => {
    expect(diffLines('abc', 'xyz').every(({ marks }) => marks.length === 0)).toBe(true);
  });

  it('shows what is too different as replaced', () => {
    const before = Array.from({ length: 9_000 }, (_, at) => `old ${at}`).join('\n');
    const after = Array.from({ length: 9_000 }, (_, at) => `new ${at}`).join('\n');
    const lines = diffLines(`same\n${before}`, `same\n${after}`);
    expect(lines.length).toBe(18_001);
    expect(lines[0]?.kind).toBe('same');
  });
});
