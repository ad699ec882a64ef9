// However a text arrives, its blocks are those of the whole text.

import fc from 'fast-check';
import { blockOf } from '../../static/src/text/block_of.ts';
import { Splitter } from '../../static/src/text/blocks.ts';
import { spansOf } from '../../static/src/text/dialect.ts';
import { spelledOut } from '../../static/src/text/hidden.ts';
import { textOf } from './text_page/texts.ts';

const TOKEN = 4; // characters
const MOST_READS = 40; // of a character: each token has the block, item or row it stands in read anew
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

/** Characters that were given to marked in each half of a text that came in tokens. */
function readIn(whole: string): [first: number, second: number] {
  let read = 0;
  const splitter = new Splitter((source, links) => {
    read += source.length;
    return spansOf(source, links);
  });
  let half = 0;
  for (let at = 0; at < whole.length; at += TOKEN) {
    splitter.feed(whole.slice(at, at + TOKEN));
    splitter.rest();
    if (at < whole.length / 2) half = read;
  }
  return [half, read - half];
}

it.each(['mixed', 'list', 'table', 'fence'])('a long text of %s is read a tail at a time, at its end as at its start', (kind) => {
  const whole = textOf(kind, 2_000);
  const [first, second] = readIn(whole);
  expect(second).toBeLessThanOrEqual(1.05 * first + 1_000);
  expect((first + second) / whole.length).toBeLessThan(MOST_READS);
});
