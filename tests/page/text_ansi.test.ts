// What a terminal would show of a log.

import fc from 'fast-check';
import { LIMITS, Screen, textOf, type Limits } from '../../static/src/text/ansi.ts';

function shown(log: string, cuts: readonly number[] = [], limits: Limits = LIMITS): Screen {
  const screen = new Screen(limits);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    screen.write(log.slice(from, Math.max(from, cut)));
    from = Math.max(from, cut);
  }
  screen.write(log.slice(from));
  return screen;
}
const text = (log: string) => textOf(shown(log).lines);
const runs = (log: string) => shown(log).lines[0]!.map(({ text: of, classes }) => [of, classes]);

describe('a log', () => {
  it.each([
    ['lines stay lines', 'a\nb\r\nc', 'a\nb\nc'],
    ['a carriage return goes over the line again', '10%\r20%\rdone', 'done'],
    ['what is longer stays', 'abcdef\rxy', 'xycdef'],
    ['a bar of tqdm ends as its last state', '  0%|   | 0/2\r 50%|#  | 1/2\r100%|###| 2/2\nok', '100%|###| 2/2\nok'],
    ['a bar below another goes up and down', 'a 0\nb 0\x1b[A\ra 1\nb 1', 'a 1\nb 0'.replace('b 0', 'b 1')],
    ['lines further down and up, from their beginning on', 'ab\ncd\x1b[Fx\x1b[Ey\x1b[Bz', 'xb\nyz'],
    ['what is below the last line is on it', 'a\x1b[9Bb', 'ab'],
    ['home is the beginning of the line', 'abc\x1b[Hx', 'xbc'],
    ['backspace', 'abc\b\bX', 'aXc'],
    ['tab', 'a\tb', 'a       b'],
    ['erase to the end of the line', 'abcdef\r\x1b[2Cx\x1b[K', 'abx'],
    ['erase the line', 'abc\x1b[2K\rz', 'z'],
    ['erase its beginning', 'abcdef\x1b[3D\x1b[1K', '    ef'],
    ['a column', 'abc\x1b[2Gx', 'axc'],
    ['a link is its text', '\x1b]8;;http://evil.example\x07here\x1b]8;;\x1b\\', 'here'],
    ['a title is nothing', '\x1b]0;title\x07a', 'a'],
    ['modes and queries are nothing', '\x1b[?25l\x1b[6n\x1b7\x1b(Ba\x1b[?1049h', 'a'],
    ['a string for the terminal is nothing', '\x1bPq#0\x1b\\a', 'a'],
    ['bells and nulls are nothing', 'a\x07\x00\x9bb', 'ab'],
    ['what turns text around is spelled out', 'a\u202eb', 'a⟨U+202E⟩b'],
    ['a sequence that never ends waits', 'a\x1b[31', 'a'],
    ['a column far away is within bounds', '\x1b[999999999Cx', `${' '.repeat(7_999)}x`],
  ])('%s', (_, log, expected) => expect(text(log)).toBe(expected));

  it.each([
    ['red', '\x1b[31mx', [['x', 'fore-1']]],
    ['bright on blue, bold', '\x1b[1;92;44mx', [['x', 'bold fore-10 back-4']]],
    ['reset', '\x1b[31ma\x1b[mb\x1b[0mc', [['a', 'fore-1'], ['bc', '']]],
    ['one of 256', '\x1b[38;5;196mx', [['x', 'fore-1']]],
    ['one of the first of 256', '\x1b[38;5;9mx', [['x', 'fore-9']]],
    ['bright behind', '\x1b[103mx', [['x', 'back-11']]],
    ['what no terminal knows', '\x1b[31;77mx', [['x', 'fore-1']]],
    ['inverse of what is behind', '\x1b[7;44mx', [['x', 'fore-4 back-ink']]],
    ['one of the greys', '\x1b[48;5;232mx', [['x', 'back-0']]],
    ['true colour', '\x1b[38;2;250;250;250mx', [['x', 'fore-15']]],
    ['none of 256', '\x1b[38;5;999mx', [['x', '']]],
    ['inverse without colours', '\x1b[7mx', [['x', 'inverse']]],
    ['inverse colours', '\x1b[7;31mx', [['x', 'fore-paper back-1']]],
    ['off again', '\x1b[1;2;3;4;9mx\x1b[22;23;24;29my\x1b[31;41m\x1b[39;49mz', [['x', 'bold dim italic underline strike'], ['yz', '']]],
    ['a mode is no colour', '\x1b[?31mx\x1b[38mx', [['xx', '']]],
    ['colours of what is written over', '\x1b[31mabc\r\x1b[32mX', [['X', 'fore-2'], ['bc', 'fore-1']]],
  ])('is coloured by classes: %s', (_, log, expected) => expect(runs(log)).toEqual(expected));

  it('shows the same however it is cut', () => {
    const unit = fc.constantFrom('a', 'bc', '\n', '\r', '\b', '\t', '\x1b[31m', '\x1b[0m', '\x1b[A', '\x1b[K', '\x1b[3C', '\x1b]8;;x\x07', '\x1b', '[', ']', ';', '1', '\x1b\\', '█');
    const log = fc.array(unit, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(log, fc.array(fc.nat({ max: 60 }), { maxLength: 10 }), (whole, cuts) => {
        expect(shown(whole, cuts).lines).toEqual(shown(whole).lines);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the last lines only', () => {
    const screen = shown('a\nb\nc\nd', [], { ...LIMITS, lines: 2 });
    expect([screen.first, textOf(screen.lines)]).toEqual([2, 'c\nd']);
  });

  it('keeps the last lines only, however many come at once', () => {
    expect(textOf(shown('a\n'.repeat(50), [], { ...LIMITS, lines: 2 }).lines)).toBe('a\n');
  });

  it('keeps so many characters only, and a change of colour costs some', () => {
    const bomb = '\x1b[31mx\x1b[32my'.repeat(2_000);
    const screen = shown(`${bomb}\nend`, [], { ...LIMITS, characters: 10_000 });
    expect(textOf(screen.lines)).toBe('end');
  });

  it('goes on in the next line where one is too long', () => {
    expect(textOf(shown('abcdef', [], { ...LIMITS, columns: 4 }).lines)).toBe('abcd\nef');
  });

  it('ends a line of too many colours with the last of them', () => {
    expect(runs('\x1b[31mx\x1b[32my'.repeat(5_000)).length).toBeLessThanOrEqual(501);
  });

  it('says which lines changed', () => {
    const screen = shown('a\nb\nc');
    screen.seen();
    screen.write('d\n');
    expect(screen.changed).toBe(2);
  });
});
