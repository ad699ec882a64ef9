// However a text arrives, its blocks are those of the whole text.

import fc from 'fast-check';
import { Splitter, blockOf } from '../../static/src/text/blocks.ts';
import { spansOf } from '../../static/src/text/dialect.ts';
import { spelledOut } from '../../static/src/text/hidden.ts';

const RUNS = Number(process.env['RUNS'] ?? 400);
const LINES = [
  '', '', '', '   ', 'a', 'words *and* more', 'b **bold', '- a', '-', '- ', '* b', '+ c', '1. a', '2. b', '2', '3) c', '10. x',
  '  - nested', '    - deeper', '  more of it', '    indented', '\tindented', '> quoted', '>', '> - a', '> > b', '> ```',
  '```', '```py', '````', '~~~', '  ```', '   ```js', '| a | b |', '|---|--:|', '|-|', '| c | d', 'c | d', '-|-', '===',
  '---', '***', '- - -', '# heading', '#', '## b ##', '[x]: /url', '[x]: <http://a> "t"', '[x]: /url "not', 'closed"',
  '[x]', '[y][x]', '<div>', '</div>', '<b>bold</b>', '<!-- c', '-->', '<pre>', '</pre>', '<script>', '<?php', '?>',
  '<![CDATA[', ']]>', '- [ ] to do', '- [x] done', '- ```py', '  ```', '1. > q', '\\', 'hard  ', 'a\u202eb', 'x\ry', '- # h', '-   wide',
  '-     code', ' - one', '   - three', '0. zero', '<a href="x">', '[', '![', '`', '``` a`b', '~~~ a`b',
]; // prettier-ignore
const text = fc.array(fc.constantFrom(...LINES), { maxLength: 14 }).map((lines) => lines.join('\n'));
const wild = fc.string({ unit: fc.constantFrom(...'ab \n\n\n-*`>|#=1.[]()<:~\\_!\t\r'), maxLength: 40 });
const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });

function split(whole: string, at: readonly number[], finished: boolean) {
  const splitter = new Splitter();
  let from = 0;
  for (const cut of [...at].sort((a, b) => a - b)) {
    splitter.feed(whole.slice(from, Math.max(from, cut)));
    splitter.rest();
    from = Math.max(from, cut);
  }
  splitter.feed(whole.slice(from));
  if (finished) splitter.finish();
  return { blocks: splitter.blocks, rest: splitter.rest(), links: splitter.links };
}
const every = (whole: string) => [...whole].map((_, at) => at);

describe('a text in pieces', { timeout: RUNS * 20 + 5_000 }, () => {
  it.each([true, false])('has the blocks of the whole text (finished: %s)', (finished) => {
    fc.assert(
      fc.property(fc.oneof(text, wild), cuts, (whole, at) => {
        const expected = split(whole, [], finished);
        expect(split(whole, at, finished)).toEqual(expected);
        expect(split(whole, every(whole), finished)).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  });

  it('has the blocks that the whole text has for marked', () => {
    fc.assert(
      fc.property(fc.oneof(text, wild), (whole) => {
        const lines = spelledOut(whole).replace(/\r\n?/g, '\n').replace(/(?<=[^\n])$/, '\n');
        expect(split(whole, every(whole), true).blocks).toEqual(spansOf(lines).flatMap(blockOf));
      }),
      { numRuns: RUNS },
    );
  });
});
