// However a text arrives, its blocks are those of the whole text.

import fc from 'fast-check';
import { blockOf } from '../../static/src/text/block_of.ts';
import { Splitter } from '../../static/src/text/blocks.ts';
import { spansOf } from '../../static/src/text/dialect.ts';
import { fenceIn } from '../../static/src/text/fence.ts';
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

const EVERYTHING = `[x]: /first
[x]: /second
words
# heading
  \`\`\`py
  def f():
 return
  \`\`\`

name | value
-----|------
[x]  | 1

- an item

  of two paragraphs
- [ ] another
* of another list

> quoted\r
***\r\n~~~\nnever closed`;
const KINDS = ['flow', 'flow', 'code', 'table', 'list', 'list', 'flow', 'flow', 'code'];

describe('a text with a block of each kind', () => {
  const lines = `${EVERYTHING.replace(/\r\n?/g, '\n')}\n`;

  it.each([['all at once', []], ['letter by letter', every(EVERYTHING)]])('has them %s', (_, at) => {
    const { blocks, links } = split(EVERYTHING, at, true);
    expect(blocks.map(({ kind }) => kind)).toEqual(KINDS);
    expect(blocks).toEqual(spansOf(lines).flatMap(blockOf));
    expect(links).toMatchObject({ x: { href: '/first' } });
  });

  it('ends with what its last character makes of it', () => {
    expect(split('a\r', [], true)).toEqual(split('a\n', [], true));
  });
});

it.each(['```py\na\n```', '```py\na\n```\n', '```py\na\n'])('a fence is its code, however it ends: %j', (raw) => {
  expect(fenceIn(raw)?.all(raw)).toBe('a\n');
});

it('of many definitions the first two hundred are followed', () => {
  const { links } = split(Array.from({ length: 203 }, (_, at) => `[l${at}]: /u`).join('\n'), [], true);
  expect(Object.keys(links)).toHaveLength(200);
});

describe('a block that is too long', () => {
  it.each([
    ['a paragraph', 'words *and* more\n'.repeat(4_500), ['plain']],
    ['a line', 'x'.repeat(70_000), ['plain']],
    ['an item', `- a\n${'  more of it\n'.repeat(6_000)}`, ['list', 'plain']],
    ['a paragraph behind another', `First.\n\n${'words\n'.repeat(12_000)}`, ['flow', 'plain']],
  ])('is as it stands up to the next blank line, however it comes: %s', (_, long, kinds) => {
    const whole = `${long}\n\nAfter it.`;
    const pieces = [9_001, 65_535, 65_537, 70_001];
    const { blocks } = split(whole, pieces, true);
    expect(blocks).toEqual(split(whole, [], true).blocks);
    expect(blocks.map(({ kind }) => kind)).toEqual([...kinds, 'flow']);
    const half = split(long, pieces, false);
    const plain = [...half.blocks, ...half.rest.blocks].map((block) => ('text' in block ? block.text : ''));
    expect(long).toContain(plain.join('') + half.rest.text);
    expect(plain.join('').length).toBeGreaterThan(60_000);
  });
});

it('a list whose rest is read as something else is over there', () => {
  const splitter = new Splitter((source, links) => spansOf(source.replace(/^- b/, '# b'), links));
  for (const line of ['- a\n', '- b\n', '- c\n']) splitter.feed(line);
  splitter.finish();
  expect(splitter.blocks.map(({ kind }) => kind)).toEqual(['list', 'flow', 'list']);
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
