// The HTML that a text becomes before it is cleaned: what is kept of it, what is shown as it stands, and its bounds.

import { describe, expect, it } from 'vitest';
import { flowHtml, itemHtml, spansOf, tableHtml } from '../../static/src/text/dialect.ts';

const NO_LINKS = Object.create(null) as Record<string, never>;
const flow = (source: string) => flowHtml(source, NO_LINKS);
const item = (source: string) => itemHtml(source, NO_LINKS);
const MANY = '*a '.repeat(2_001);

describe('a paragraph', () => {
  it.each([
    ['plain words', '<p>plain words</p>\n'],
    ['a **b** `c`', '<p>a <strong>b</strong> <code>c</code></p>\n'],
    ['1 < 2 > 0 & "so"', '<p>1 &lt; 2 &gt; 0 &amp; &quot;so&quot;</p>\n'],
    ['&copy; stays, &no does not', '<p>&copy; stays, &amp;no does not</p>\n'],
    ['a <kbd>b</kbd>', '<p>a <kbd>b</kbd></p>\n'],
    ['a <KBD onclick="x">b</KBD>', '<p>a <KBD>b</KBD></p>\n'],
    [`<a href='x"y' title=z id=1>b</a>`, '<p><a href="x&quot;y" title="z">b</a></p>\n'],
    ['<img src="x" alt="">', '<img src="x" alt="">'],
    ['a <script>b</script>', '<p>a &lt;script&gt;b&lt;/script&gt;</p>\n'],
    ['a <!-- b --> c', '<p>a  c</p>\n'],
    ['<div>b', '<div>b'],
  ])('%s', (source, html) => expect(flow(source)).toBe(html));

  it('with more marks than can be read stays as it is', () => {
    expect(flow(MANY)).toBeNull();
    expect(flow('a '.repeat(2_001))).toContain('<p>a a');
  });

  it('is no heading where its underline is far below', () => {
    expect(flow('a\n===')).toContain('<h1>');
    expect(flow(`${'a\n'.repeat(700)}===`)).not.toContain('<h1>');
  });
});

describe('an item', () => {
  it.each([
    ['- a **b**', '<p>a <strong>b</strong></p>\n'],
    ['- a\n\n  b', '<p>a</p>\n<p>b</p>\n'],
    ['- [x] done', '<p>☑ done</p>\n'],
    ['- [ ] to do', '<p>☐ to do</p>\n'],
    ['-', ''],
    ['no item', ''],
  ])('%j', (source, html) => expect(item(source)).toBe(html));

  it('with more marks than can be read stays as it is', () => expect(item(`- ${MANY}`)).toBeNull());
});

describe('a table', () => {
  it('has its rows, and an empty one for what cannot be read', () => {
    const html = tableHtml('| a |\n|--:|\n', ['| 1 |', `| ${MANY} |`], NO_LINKS);
    expect(html.match(/<tr>/g)).toHaveLength(3);
    expect(html).toContain('<td align="right">1</td>');
    expect(html).not.toContain('*a');
  });
});

describe('what stands in one another', () => {
  const depthOf = (source: string, tag: string) => (flow(source) ?? '').split(`<${tag}>`).length - 1;

  it.each([['> ', 'blockquote'], ['- ', 'ul']])('%j is read so deep and no deeper', (mark, tag) => {
    expect(depthOf(`${mark.repeat(3)}a`, tag)).toBe(3);
    expect(depthOf(`${mark.repeat(40)}a`, tag)).toBe(16);
  });
});

describe('a definition', () => {
  const linksOf = (source: string) => {
    const links = Object.create(null) as Record<string, { href: string; title: string }>;
    spansOf(source, links as never);
    return { ...links };
  };

  it.each([
    ['[A  b]: /u', { 'a b': { href: '/u', title: '' } }],
    ['[a]: </u v> "t"', { a: { href: '/u v', title: 't' } }],
    [`[a]: /u 't'`, { a: { href: '/u', title: 't' } }],
    ['[a]: /u (t)', { a: { href: '/u', title: 't' } }],
    ['[a]: <>', { a: { href: '', title: '' } }],
    ['[a]: /u "over\ntwo lines"', {}],
  ])('%j', (source, links) => expect(linksOf(source)).toEqual(links));
});
